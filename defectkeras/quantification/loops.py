"""Loops: their outer and inner contour, and whether they are seen edge-on."""

from typing import Any

import cv2
import numpy as np

from defectkeras.core.arrays import LabelMap
from defectkeras.quantification.feret import feret_diameters_px
from defectkeras.quantification.hulls import convex_hulls
from defectkeras.quantification.moments import measure_moments
from defectkeras.quantification.runs import Floats, find_runs
from defectkeras.quantification.skeletons import MAX_PINHOLE_PX

EDGE_ON_ASPECT = 3.0
"""From this aspect ratio on a loop without a hole is seen edge-on."""


def measure_loops(
    label_map: LabelMap, *, pixel_size_nm: float | None = None
) -> dict[str, Any]:
    """Measure the contours of loops.

    The outer contour is that of the object, the inner one that of its largest
    hole above `MAX_PINHOLE_PX`. The contrast of a loop lies on both sides of it, so
    its diameter is that of the middle, the mean of both largest Feret diameters. An
    object without a hole is a line when the loop is seen edge-on, else its whole
    inside is marked. A loop seen as an ellipse is tilted by acos(minor / major).

    Args:
        label_map: (H, W) int object numbers, 0 where no object is.
        pixel_size_nm: Adds columns in nm.

    Returns:
        (N,) columns by ascending object number: loop_view ("edge_on" or
        "ellipse"), inner_diameter_px and middle_diameter_px (NaN without a hole),
        tilt_deg from 0 (face-on) to 90.

    Example:
        >>> rows, columns = np.ogrid[:40, :60]
        >>> radius = np.hypot(rows - 20, columns - 30)
        >>> found = measure_loops(((radius > 8) & (radius < 13)).astype(np.int32))
        >>> found["loop_view"].tolist(), found["middle_diameter_px"].round(1).tolist()
        (['ellipse'], [21.7])
    """
    filled, inner = _fill(label_map)
    runs = find_runs(filled)
    moments = measure_moments(runs)
    outer_px, _ = feret_diameters_px(convex_hulls(runs))
    inner_px = _inner_diameters(inner, runs.labels.tolist())
    is_edge_on = np.isnan(inner_px) & (moments["aspect_ratio"] >= EDGE_ON_ASPECT)
    tilt = np.degrees(np.arccos(1 / moments["aspect_ratio"]))
    columns: dict[str, Any] = {
        "loop_view": np.where(is_edge_on, "edge_on", "ellipse").astype(object),
        "inner_diameter_px": inner_px,
        "middle_diameter_px": (outer_px + inner_px) / 2,
        "tilt_deg": np.where(is_edge_on, 90.0, tilt),
    }
    if pixel_size_nm is not None:
        for name in ("inner_diameter", "middle_diameter"):
            columns[f"{name}_nm"] = columns[f"{name}_px"] * pixel_size_nm
    return columns


def _fill(label_map: LabelMap) -> tuple[LabelMap, LabelMap]:
    """Give the objects without holes, and the largest hole of each.

    A hole lies inside the object on whose right its first pixel lies.
    """
    count, holes, statistics, _ = cv2.connectedComponentsWithStats(
        (label_map == 0).astype(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    left, top, width, height, area = statistics.T
    rows, columns = label_map.shape
    inside = (left > 0) & (top > 0) & (left + width < columns) & (top + height < rows)
    inside &= area > MAX_PINHOLE_PX
    owner = np.zeros(count, dtype=np.int32)
    largest = np.zeros(count, dtype=np.int32)
    best: dict[int, int] = {}
    for hole in np.flatnonzero(inside[1:]) + 1:
        row = int(top[hole])
        first = int(left[hole] + np.argmax(holes[row, left[hole] :] == hole))
        owner[hole] = label_map[row, first - 1]
        known = best.get(int(owner[hole]))
        if known is None or area[hole] > area[known]:
            best[int(owner[hole])] = int(hole)
    for label, number in best.items():
        largest[number] = label
    owner[0] = 0
    return np.where(label_map > 0, label_map, owner[holes]), largest[holes]


def _inner_diameters(inner: LabelMap, labels: list[int]) -> Floats:
    """Give the largest Feret diameter of each hole, NaN where there is none."""
    runs = find_runs(inner)
    found, _ = feret_diameters_px(convex_hulls(runs))
    by_label = dict(zip(runs.labels.tolist(), found.tolist(), strict=True))
    return np.array([by_label.get(label, np.nan) for label in labels])
