"""Feret diameters: the widths of an object between parallel tangents.

The tangents touch the pixels' edge midpoints, not their corners, for a pixel
is a sample of the outline at half a pixel: a drawn disc of diameter D then has
a mean width of D to about 0.1 px (corners give half a pixel more).
"""

from itertools import pairwise

import cv2
import numpy as np

from defectkeras.quantification.runs import Floats, Integers, Runs


def feret_diameters_px(runs: Runs) -> tuple[Floats, Floats]:
    """Give the largest and the smallest Feret diameter of each object.

    Args:
        runs: The runs of a label map with N objects.

    Returns:
        (max_feret_px, min_feret_px), each (N,) float64.
    """
    hulls = _convex_hulls(runs)
    sizes = np.array([len(hull) for hull in hulls], dtype=np.int64)
    largest = np.zeros(len(hulls))
    smallest = np.zeros(len(hulls))
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        points = np.stack([hulls[i] for i in chosen])  # (n, size, 2)
        largest[chosen], smallest[chosen] = _calipers(points)
    return largest, smallest


def _convex_hulls(runs: Runs) -> list[Floats]:
    """Give each object's convex hull of edge midpoints, (M, 2) as (x, y)."""
    points, index = _outline_points(runs)
    starts = np.searchsorted(index, np.arange(len(runs.labels) + 1))
    return [
        np.asarray(cv2.convexHull(points[a:b].astype(np.int32))[:, 0] / 2.0)
        for a, b in pairwise(starts)
    ]


def _outline_points(runs: Runs) -> tuple[Integers, Integers]:
    """Give edge midpoints that hold all hull corners, in half pixels.

    Only the outermost runs of a row can carry a corner: the left and right
    midpoints of each run, and the upper and lower ones at both its ends.
    """
    x_left, x_right, y = 2 * runs.first, 2 * runs.last, 2 * runs.row
    xs = np.stack([x_left - 1, x_right + 1, x_left, x_right, x_left, x_right], axis=1)
    ys = np.stack([y, y, y - 1, y - 1, y + 1, y + 1], axis=1)
    points = np.stack([xs, ys], axis=2).reshape(-1, 2)
    return points, np.repeat(runs.index, 6)


def _calipers(points: Floats) -> tuple[Floats, Floats]:
    """Give the largest and smallest width of n convex polygons (n, M, 2).

    The largest width joins two corners; the smallest stands on an edge.
    """
    differences = points[:, :, None] - points[:, None]
    largest = np.sqrt((differences**2).sum(axis=3).max(axis=(1, 2)))
    edges = np.roll(points, -1, axis=1) - points
    lengths = np.hypot(edges[..., 0], edges[..., 1])
    normals = np.stack([-edges[..., 1], edges[..., 0]], axis=2) / lengths[..., None]
    heights = np.einsum("nec,nmc->nem", normals, points)
    smallest = (heights.max(axis=2) - heights.min(axis=2)).min(axis=1)
    return largest, smallest
