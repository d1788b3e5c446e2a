"""Shapes as a person drew them: areas with holes, and lines with a width.

Points are (row, column) in pixels from the outer corner of the first pixel: the
pixel (r, c) covers r to r + 1 and c to c + 1, and its center is (r + .5, c + .5).
Each format's own convention is turned into this one when it is read, so that half
a pixel is never lost between two tools.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
"""(N, 2), row and column of each point."""

NOT_ANNOTATED_NAME = "not_annotated"
"""Shapes of this name show what nobody annotated; they are no objects."""


@dataclass(frozen=True, eq=False)
class Area:
    """What lies within an odd number of rings; a ring in a ring is a hole.

    Attributes:
        rings: Each (N, 2) and closed: its last point is joined to the first.
    """

    rings: tuple[Points, ...]


@dataclass(frozen=True, eq=False)
class Line:
    """A line from point to point with round ends and corners.

    Attributes:
        points: (N, 2), at least one.
        width_px: How wide it is drawn.
    """

    points: Points
    width_px: float

    @property
    def length_px(self) -> float:
        """Its length as drawn, the best measure of a line that a person gives.

        Example:
            >>> Line(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 9.0]]), 2.0).length_px
            10.0
        """
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


@dataclass(frozen=True, eq=False)
class Shape:
    """One object.

    Attributes:
        class_name: Its class, as the annotator calls it.
        geometry: Where it is.
    """

    class_name: str
    geometry: Area | Line


@dataclass(frozen=True, eq=False)
class Drawing:
    """All shapes of a micrograph.

    Attributes:
        size: (H, W) of the micrograph in pixels.
        shapes: In the order of drawing: later ones lie on top.
        line_classes: Names of classes that are lines though outlines show them, as
            those of a map do.
    """

    size: tuple[int, int]
    shapes: tuple[Shape, ...]
    line_classes: frozenset[str] = frozenset()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, sorted."""
        names = {shape.class_name for shape in self.shapes} - {NOT_ANNOTATED_NAME}
        return tuple(sorted(names))

    def is_line(self, class_name: str) -> bool:
        """Say whether a class is of lines: told so, or drawn as nothing else."""
        is_drawn = self.drawn_length_px(class_name) is not None
        return is_drawn or class_name in self.line_classes

    @property
    def drawn_line_classes(self) -> tuple[str, ...]:
        """Names of the classes of lines that are drawn, sorted."""
        return tuple(name for name in self.class_names if self.is_line(name))

    def drawn_length_px(self, class_name: str) -> float | None:
        """Give the summed length of a class of lines; None where areas are drawn."""
        own = [s.geometry for s in self.shapes if s.class_name == class_name]
        lines = [geometry for geometry in own if isinstance(geometry, Line)]
        if not lines or len(lines) < len(own):
            return None
        return sum(line.length_px for line in lines)
