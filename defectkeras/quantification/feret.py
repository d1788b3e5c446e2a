"""Feret diameters: the widths of an object between parallel tangents.

The tangents touch the pixels' edge midpoints, not their corners, for a pixel
is a sample of the outline at half a pixel: a drawn disc of diameter D then has
a mean width of D to about 0.1 px (corners give half a pixel more). Both extremes
are found with rotating calipers: the corner opposite to an edge is where the
edges' directions, which go once around, have turned by half a circle.

References:
    G. Toussaint, Solving geometric problems with the rotating calipers,
    Proc. IEEE MELECON (1983).
"""

import numpy as np

from defectkeras.quantification.hulls import Hulls, next_corners
from defectkeras.quantification.runs import Floats, Integers


def feret_diameters_px(hulls: Hulls) -> tuple[Floats, Floats]:
    """Give the largest and the smallest Feret diameter of each object.

    Args:
        hulls: The convex hulls of N objects.

    Returns:
        (max_feret_px, min_feret_px), each (N,) float64.
    """
    if len(hulls.starts) == 0:
        return np.zeros(0), np.zeros(0)
    following = next_corners(hulls.starts, len(hulls.x))
    edge_x, edge_y = hulls.x[following] - hulls.x, hulls.y[following] - hulls.y
    opposite = _opposite_corners(hulls, np.arctan2(edge_x, edge_y))
    largest, widths = np.zeros(len(hulls.x)), np.zeros(len(hulls.x))
    # With its neighbors, as parallel edges have two opposite corners.
    for corner in (opposite, following[opposite], _invert(following)[opposite]):
        dx, dy = hulls.x[corner] - hulls.x, hulls.y[corner] - hulls.y
        far_x, far_y = dx - edge_x, dy - edge_y
        for distance in (np.hypot(dx, dy), np.hypot(far_x, far_y)):
            np.maximum(largest, distance, out=largest)
        np.maximum(widths, np.abs(dx * edge_y - dy * edge_x), out=widths)
    widths /= np.hypot(edge_x, edge_y)
    return (
        np.maximum.reduceat(largest, hulls.starts) / 2,
        np.minimum.reduceat(widths, hulls.starts) / 2,
    )


def _opposite_corners(hulls: Hulls, angle: Floats) -> Integers:
    """Give the corner farthest from each edge, of edges at these angles."""
    turned = (angle - angle[hulls.starts][hulls.index]) % (2 * np.pi)
    turned[hulls.starts] = 0.0
    base = hulls.index * 8.0  # keeps the objects apart on one axis
    found = np.searchsorted(base + turned, base + (turned + np.pi) % (2 * np.pi))
    ends = np.append(hulls.starts[1:], len(hulls.x))
    return np.where(found == ends[hulls.index], hulls.starts[hulls.index], found)


def _invert(following: Integers) -> Integers:
    """Give the number of the corner before each."""
    before = np.empty_like(following)
    before[following] = np.arange(len(following))
    return before
