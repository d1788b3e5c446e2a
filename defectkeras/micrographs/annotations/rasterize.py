"""Drawings to maps of pixels, and maps to drawings."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import find_objects

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, LabelMap, Mask
from defectkeras.core.errors import MicrographError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.names import suggestion
from defectkeras.micrographs.annotations.rings import fill_rings, trace_rings
from defectkeras.micrographs.annotations.shapes import (
    NOT_ANNOTATED_NAME,
    Area,
    Drawing,
    Line,
    Points,
    Shape,
)


@dataclass(frozen=True, eq=False)
class Rasterized:
    """A drawing as maps.

    Attributes:
        class_map: (H, W) class indices.
        label_map: (H, W) object numbers from 1 in the order of drawing.
        overlapping: Number of objects of which later ones hide a part.
        hidden: Number of objects of which no pixel is left.
    """

    class_map: ClassMap
    label_map: LabelMap
    overlapping: int
    hidden: int


def rasterize(drawing: Drawing, scheme: LabelScheme) -> Rasterized:
    """Draw all shapes into maps; later shapes lie on top.

    Args:
        drawing: Shapes, whose names are classes of the scheme or `not_annotated`.
        scheme: The classes.

    Returns:
        Maps (H, W), in which a pixel is of one object at most.

    Raises:
        MicrographError: When a shape is of another class, or lies beside the
            micrograph.
    """
    _require_classes(drawing, scheme)
    _require_inside(drawing)
    class_map = np.zeros(drawing.size, dtype=np.int32)
    label_map = np.zeros(drawing.size, dtype=np.int32)
    drawn = []
    for number, shape in enumerate(drawing.shapes, start=1):
        mask, (top, left) = draw_geometry(shape.geometry, drawing.size)
        part = np.s_[top : top + mask.shape[0], left : left + mask.shape[1]]
        is_known = shape.class_name != NOT_ANNOTATED_NAME
        index = scheme.by_name(shape.class_name).index if is_known else NOT_ANNOTATED
        class_map[part][mask] = index
        label_map[part][mask] = number if is_known else 0
        if is_known:
            drawn.append((number, np.count_nonzero(mask)))
    left_px = np.bincount(label_map.ravel(), minlength=len(drawing.shapes) + 1)
    return Rasterized(
        class_map=class_map,
        label_map=label_map,
        overlapping=sum(bool(left_px[n] < px) for n, px in drawn),
        hidden=sum(bool(left_px[n] == 0) for n, _ in drawn),
    )


def draw_geometry(
    geometry: Area | Line, size: tuple[int, int]
) -> tuple[Mask, tuple[int, int]]:
    """Give the pixels of one shape within its own box.

    No shape is lost: one that covers the center of no pixel gets the pixel that holds
    its middle, and a line is at least one pixel wide.

    Args:
        geometry: Of the shape, of which something is on the micrograph.
        size: (H, W) of the micrograph.

    Returns:
        (H, W) of the box, true where the shape is, and the box's upper left pixel.
    """
    lowest, highest = _bounds(geometry)
    low = np.clip(np.floor(lowest), 0, size).astype(int)
    high = np.clip(np.ceil(highest), 0, size).astype(int)
    top, left = int(low[0]), int(low[1])
    box = (max(int(high[0]) - top, 0), max(int(high[1]) - left, 0))
    if isinstance(geometry, Line):
        mask = _stroke(geometry.points - low, max(geometry.width_px, 1.0), box)
    else:
        mask = fill_rings([ring - low for ring in geometry.rings], box)
    if not mask.any():
        middle = np.floor((lowest + highest) / 2)
        top, left = np.clip(middle, 0, np.array(size) - 1).astype(int).tolist()
        mask = np.ones((1, 1), dtype=bool)
    return mask, (top, left)


def join_areas(areas: Iterable[Sequence[Points]], size: tuple[int, int]) -> Area:
    """Give some areas, which may overlap, as one.

    Args:
        areas: The rings of each.
        size: (H, W) of the field; what lies outside is cut off, if not all of it.

    Example:
        >>> left = np.array([[0, 0], [0, 2], [2, 2], [2, 0.0]])
        >>> join_areas([[left], [left + [0, 1]]], (2, 3)).rings[0].tolist()
        [[0.0, 0.0], [0.0, 3.0], [2.0, 3.0], [2.0, 0.0]]
    """
    parts = [Area(tuple(rings)) for rings in areas if len(rings)]
    union = np.zeros(size, dtype=bool)
    for part in parts:
        if _is_inside(part, size):
            mask, (top, left) = draw_geometry(part, size)
            union[top : top + mask.shape[0], left : left + mask.shape[1]] |= mask
    if not union.any():  # of which the error can tell where it lies
        return Area(tuple(ring for part in parts for ring in part.rings))
    return Area(trace_rings(union))


def draw_maps(
    class_map: ClassMap, scheme: LabelScheme, *, label_map: LabelMap | None = None
) -> Drawing:
    """Give the outlines of all objects of a map.

    Args:
        class_map: (H, W) class indices; what is not annotated becomes shapes of
            the class `not_annotated`.
        scheme: The classes.
        label_map: (H, W) object numbers, where touching objects are told apart;
            None takes 8-connected pixels of a class as one object.

    Returns:
        One area for each object, which `rasterize` turns into the same maps but
        for the numbers; classes of lines are told to be such.
    """
    shapes = []
    indices = [*range(1, scheme.num_classes), NOT_ANNOTATED]
    for index in indices:
        mask = class_map == index
        if not mask.any():
            continue
        is_known = index != NOT_ANNOTATED
        name = scheme.classes[index].name if is_known else NOT_ANNOTATED_NAME
        if label_map is not None and is_known:
            labels = np.where(mask, label_map, 0).astype(np.int32)
        else:
            labels = _connected(mask)
        shapes += [Shape(name, area) for area in _areas(labels)]
    return Drawing(
        size=(class_map.shape[0], class_map.shape[1]),
        shapes=tuple(shapes),
        line_classes=frozenset(c.name for c in scheme.defects if c.kind == "line"),
    )


def _connected(mask: Mask) -> LabelMap:
    _, labels = cv2.connectedComponents(
        mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    return np.asarray(labels, dtype=np.int32)


def _areas(labels: LabelMap) -> list[Area]:
    """Give the outline of each number, from within its box."""
    numbers = np.unique(labels[labels > 0])
    dense = np.where(labels > 0, np.searchsorted(numbers, labels) + 1, 0)
    areas = []
    for number, box in enumerate(find_objects(dense), start=1):
        corner = np.array([part.start for part in box], dtype=np.float64)
        rings = trace_rings(dense[box] == number)
        areas.append(Area(tuple(ring + corner for ring in rings)))
    return areas


def _stroke(points: Points, width_px: float, size: tuple[int, int]) -> Mask:
    """Give the pixels whose center is within half of the width of a line."""
    near = np.zeros(size, dtype=bool)
    reach = width_px / 2
    for start, stop in itertools.pairwise(points if len(points) > 1 else [*points] * 2):
        low = np.clip(np.floor(np.minimum(start, stop) - reach), 0, size).astype(int)
        high = np.clip(np.ceil(np.maximum(start, stop) + reach), 0, size).astype(int)
        rows = np.arange(low[0], high[0])[:, None] + 0.5 - start[0]
        columns = np.arange(low[1], high[1])[None, :] + 0.5 - start[1]
        along = stop - start
        length2 = float(along @ along) or 1.0
        share = np.clip((rows * along[0] + columns * along[1]) / length2, 0, 1)
        off2 = (rows - share * along[0]) ** 2 + (columns - share * along[1]) ** 2
        near[low[0] : high[0], low[1] : high[1]] |= off2 <= reach**2
    return near


def _bounds(geometry: Area | Line) -> tuple[Points, Points]:
    """Give the lowest and the highest (row, column) that a shape reaches."""
    if isinstance(geometry, Line):
        points, margin = geometry.points, geometry.width_px / 2
    else:
        points, margin = np.concatenate(geometry.rings), 0.0
    return points.min(axis=0) - margin, points.max(axis=0) + margin


def _is_inside(geometry: Area | Line, size: tuple[int, int]) -> bool:
    """Say whether something of a shape is on the micrograph."""
    low, high = _bounds(geometry)
    return bool((high > 0).all() and (low < size).all())


def _require_inside(drawing: Drawing) -> None:
    """Refuse a shape of which nothing is on the micrograph: it would be lost."""
    for number, shape in enumerate(drawing.shapes, start=1):
        if isinstance(shape.geometry, Area) and not shape.geometry.rings:
            raise MicrographError(
                f"shapes must show a pixel. Received: shape {number}, "
                f"{shape.class_name!r}, without any. Take it out."
            )
        if not _is_inside(shape.geometry, drawing.size):
            low, high = _bounds(shape.geometry)
            raise MicrographError(
                f"shapes must lie on the micrograph, {drawing.size}. Received: shape "
                f"{number}, {shape.class_name!r}, in rows {low[0]:g} to {high[0]:g} "
                f"and columns {low[1]:g} to {high[1]:g}. Draw it on this micrograph, "
                "or take it out."
            )


def _require_classes(drawing: Drawing, scheme: LabelScheme) -> None:
    known = [c.name for c in scheme.defects]
    for name in drawing.class_names:
        if name not in known:
            raise MicrographError(
                f"must show classes of the scheme. Received: shapes of class {name!r}."
                f"{suggestion(name, known)}"
            )
