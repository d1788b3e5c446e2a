"""Windows: where in a field points could lie, for statistics of their places."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.random import Generator
from scipy import ndimage, signal

from defectkeras.core.arrays import Mask
from defectkeras.quantification.edges import is_whole
from defectkeras.quantification.runs import Flags, Floats

_MAX_SIDE = 512  # a window with holes is looked at with no more pixels


@dataclass(frozen=True, eq=False)
class Window:
    """The part of a plane in which points are seen. All lengths in px.

    Attributes:
        height: Of the field.
        width: Of the field.
        seen: (H, W) true where points are seen; None is the whole field.
    """

    height: float
    width: float
    seen: Mask | None = None

    @classmethod
    def of_field(cls, field: Mask) -> "Window":
        """Give the window of an annotated field.

        Args:
            field: (H, W) true where the micrograph is annotated.
        """
        rows, columns = field.shape
        return cls(
            float(rows),
            float(columns),
            None if is_whole(field) or field.all() else field,
        )

    @property
    def area(self) -> float:
        """Its area."""
        whole = self.height * self.width
        return whole if self.seen is None else whole * float(self.seen.mean())

    @property
    def perimeter(self) -> float | None:
        """Its perimeter; None when it is no rectangle."""
        return 2 * (self.height + self.width) if self.seen is None else None

    def contains(self, points: Floats) -> Flags:
        """Tell which points lie in the window.

        Args:
            points: (N, 2) rows and columns in the field.
        """
        if self.seen is None:
            return np.ones(len(points), dtype=bool)
        places = np.floor(points).astype(np.int64)
        return np.asarray(self.seen[tuple(places.T)], dtype=bool)

    def draw(self, rng: Generator, count: int) -> Floats:
        """Draw points at random.

        Args:
            rng: Source of randomness.
            count: Number of points N.

        Returns:
            (N, 2) rows and columns.
        """
        found = np.zeros((0, 2))
        while len(found) < count:
            share = self.area / (self.height * self.width)
            number = int((count - len(found)) / share) + 8
            tried = rng.uniform(size=(number, 2)) * (self.height, self.width)
            found = np.concatenate([found, tried[self.contains(tried)]])
        return found[:count]

    def overlaps(self, shifts: Floats) -> Floats:
        """Give the area that the window shares with itself when shifted.

        Args:
            shifts: (N, 2) rows and columns.

        Returns:
            (N,) areas; for a rectangle (H - |dr|) (W - |dc|).
        """
        if self.seen is None:
            return np.asarray(
                (self.height - np.abs(shifts[:, 0]))
                * (self.width - np.abs(shifts[:, 1]))
            )
        shared = self._shared
        rows, columns = (n // 2 + 1 for n in shared.shape)
        scale = np.array([self.height / rows, self.width / columns])
        at = shifts / scale + np.array([rows - 1, columns - 1])
        shares = ndimage.map_coordinates(shared, at.T, order=1)
        return np.asarray(shares * scale.prod(), dtype=np.float64)

    @cached_property
    def _shared(self) -> Floats:
        """Give (2 h - 1, 2 w - 1) the overlaps of the window seen with h x w pixels."""
        seen = np.ones((1, 1), dtype=bool) if self.seen is None else self.seen
        step = max(1, -(-max(seen.shape) // _MAX_SIDE))
        rows, columns = (max(1, n // step) for n in seen.shape)
        small = cv2.resize(
            seen.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA
        )
        return np.asarray(signal.fftconvolve(small, small[::-1, ::-1]))
