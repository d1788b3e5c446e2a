"""Nearest neighbors: are objects nearer to each other than chance would have it?"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.spatial import cKDTree

from defectkeras.quantification.runs import Floats
from defectkeras.quantification.windows import Window


@dataclass(frozen=True)
class ClarkEvans:
    """The index of Clark and Evans: below 1 clustered, above 1 ordered.

    Attributes:
        count: Number of points N.
        mean_distance: Mean distance of a point to its nearest neighbor.
        naive: Over that of random points in an endless plane; high by the border.
        donnelly: Over that in the window; None when it is no rectangle.
        p_value: Two-sided, of `donnelly` against points at random; objects of
            finite size are never quite at random, see `hard_core`.
    """

    count: int
    mean_distance: float
    naive: float
    donnelly: float | None
    p_value: float | None


def nearest_distances(points: Floats) -> Floats:
    """Give each point's distance to its nearest neighbor.

    Args:
        points: (N, 2) rows and columns, N at least 2.

    Returns:
        (N,) distances.

    Example:
        >>> nearest_distances(np.array([[0.0, 0.0], [0.0, 3.0], [0.0, 4.0]]))
        array([3., 1., 1.])
    """
    distances, _ = cKDTree(points).query(points, k=[2])
    return np.asarray(distances, dtype=np.float64)[:, 0]


def clark_evans(points: Floats, window: Window) -> ClarkEvans:
    """Give the index of Clark and Evans with Donnelly's correction.

    R = mean distance / (1 / (2 sqrt(density))). At the border neighbors are
    unseen, so with the perimeter P of the window (a rectangle) Donnelly expects
    1 / (2 sqrt(density)) + (0.0514 + 0.0412 / sqrt(N)) P / N, with the variance
    0.0703 A / N^2 + 0.037 P sqrt(A / N^5).

    Args:
        points: (N, 2) rows and columns, N at least 2.
        window: Where points are seen.

    Returns:
        The index.

    Example:
        >>> points = np.array([[r, c] for r in (0.25, 0.75) for c in (0.25, 0.75)])
        >>> found = clark_evans(points, Window(1.0, 1.0))
        >>> found.naive, round(found.donnelly, 4)
        (2.0, 1.5528)

    References:
        P. J. Clark, F. C. Evans, Ecology 35 (1954) 445, doi:10.2307/1931034;
        K. P. Donnelly, in: I. Hodder, Simulation Studies in Archaeology (1978).
    """
    count = len(points)
    density = count / window.area
    mean = float(nearest_distances(points).mean())
    expected = 1 / (2 * math.sqrt(density))
    donnelly = p_value = None
    if window.perimeter is not None:
        rim = (0.0514 + 0.0412 / math.sqrt(count)) * window.perimeter / count
        donnelly = mean / (expected + rim)
        variance = 0.0703 * window.area / count**2
        variance += 0.037 * window.perimeter * math.sqrt(window.area / count**5)
        z = (mean - expected - rim) / math.sqrt(variance)
        p_value = float(2 * stats.norm.sf(abs(z)))
    return ClarkEvans(count, mean, mean / expected, donnelly, p_value)
