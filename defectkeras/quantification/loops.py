"""Loops: their outer and inner contour, and whether they are seen edge-on."""

from typing import Any

import numpy as np

from defectkeras.quantification.feret import feret_diameters_px
from defectkeras.quantification.hulls import convex_hulls
from defectkeras.quantification.moments import measure_moments
from defectkeras.quantification.runs import Floats, Integers, Runs, connect_runs
from defectkeras.quantification.skeletons import MAX_PINHOLE_PX

EDGE_ON_ASPECT = 3.0
"""From this aspect ratio on a loop without a hole is seen edge-on."""


def measure_loops(runs: Runs, *, pixel_size_nm: float | None = None) -> dict[str, Any]:
    """Measure the contours of loops.

    The outer contour is that of the object, the inner one that of its largest
    hole above `MAX_PINHOLE_PX`, with all that lies in it. The contrast of a loop
    lies on both sides of it, so its diameter is that of the middle, the mean of both
    largest Feret diameters. An object without a hole is a line when the loop is seen
    edge-on, else its whole inside is marked. A loop seen as an ellipse is tilted by
    acos(minor / major).

    Args:
        runs: Of N objects.
        pixel_size_nm: Adds columns in nm.

    Returns:
        (N,) columns: loop_view ("edge_on" or
        "ellipse"), inner_diameter_px and middle_diameter_px (NaN without a hole),
        tilt_deg from 0 (face-on) to 90.

    Example:
        >>> from defectkeras.quantification.runs import find_runs
        >>> rows, columns = np.ogrid[:40, :60]
        >>> radius = np.hypot(rows - 20, columns - 30)
        >>> ring = ((radius > 8) & (radius < 13)).astype(np.int32)
        >>> found = measure_loops(find_runs(ring))
        >>> found["loop_view"].tolist(), found["middle_diameter_px"].round(1).tolist()
        (['ellipse'], [21.7])
    """
    holes, hole = _find_holes(runs)
    moments = measure_moments(_sorted([runs, holes], runs.labels))
    outer_px, _ = feret_diameters_px(convex_hulls(runs))
    inner_px = _inner_diameters(holes, hole)
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


def _find_holes(runs: Runs) -> tuple[Runs, Integers]:
    """Give the runs of the holes, with the objects they are in, and their holes.

    A hole is a piece of what is left of an object's box, with a rim of one pixel,
    that does not reach the rim.
    """
    gaps, line = _find_gaps(runs)
    piece = connect_runs(line, gaps.first, gaps.last, diagonal=False)
    area = np.bincount(piece, gaps.lengths)
    is_outside = np.zeros(len(area), dtype=bool)
    top = np.minimum.reduceat(gaps.row, gaps.starts) if len(runs.labels) else gaps.row
    is_outside[piece[gaps.row == top[gaps.index]]] = True
    kept = (~is_outside & (area > MAX_PINHOLE_PX))[piece]
    return gaps.only(kept), piece[kept]


def _find_gaps(runs: Runs) -> tuple[Runs, Integers]:
    """Give what the runs leave free of each object's box, and a number per row."""
    starts = runs.starts
    if len(starts) == 0:
        return runs, runs.row
    top, left, bottom, right = runs.boxes
    heights = bottom - top + 3
    index = np.repeat(np.arange(len(starts)), heights)
    before = np.cumsum(heights) - heights
    row = np.arange(len(index)) - (before - top + 1)[index]
    walls = [
        Runs(index, row, c, c, runs.labels) for c in (left[index] - 2, right[index] + 2)
    ]
    walled = _sorted([runs, *walls], runs.labels)
    same = (np.diff(walled.index) == 0) & (np.diff(walled.row) == 0)
    first, last = walled.last[:-1] + 1, walled.first[1:] - 1
    kept = np.flatnonzero(same & (first <= last))
    index, row = walled.index[kept], walled.row[kept]
    gaps = Runs(index, row, first[kept], last[kept], runs.labels)
    return gaps, row + (before - top + 1 + 2 * np.arange(len(starts)))[index]


def _sorted(parts: list[Runs], labels: Integers) -> Runs:
    """Give the runs of several parts of the same objects, sorted."""
    index, row, first, last = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("index", "row", "first", "last")
    )
    order = np.lexsort((first, row, index))
    return Runs(index[order], row[order], first[order], last[order], labels)


def _inner_diameters(holes: Runs, hole: Integers) -> Floats:
    """Give the largest Feret diameter of each object's largest hole, or NaN."""
    diameters = np.full(len(holes.labels), np.nan)
    area = np.bincount(hole, holes.lengths)[hole]
    order = np.lexsort((hole, -area, holes.index))
    owners, at = np.unique(holes.index[order], return_index=True)
    largest = holes.only(np.isin(hole, hole[order[at]]))
    index = np.searchsorted(owners, largest.index)
    alone = Runs(index, largest.row, largest.first, largest.last, owners)
    diameters[owners], _ = feret_diameters_px(convex_hulls(alone))
    return diameters
