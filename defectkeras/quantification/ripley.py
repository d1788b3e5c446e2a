"""Pairs of objects at each distance: Ripley's K, Besag's L, pair correlation."""

import math

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from defectkeras.quantification.runs import Floats
from defectkeras.quantification.windows import Window

_STEPS = 40
_SPACINGS = 8.0


def default_radii(count: int, window: Window) -> Floats:
    """Give distances up to a quarter of the window, at most eight mean spacings.

    Args:
        count: Number of points.
        window: Where they are seen.

    Returns:
        (N, ) ascending, above 0; the mean spacing is 1 / sqrt(density).
    """
    spacing = math.sqrt(window.area / max(count, 1))
    largest = min(window.height / 4, window.width / 4, _SPACINGS * spacing)
    return np.linspace(largest / _STEPS, largest, _STEPS)


def pair_statistics(points: Floats, window: Window, radii: Floats) -> pd.DataFrame:
    """Give K, L and the pair correlation of points.

    K(r) = A / (N (N - 1)) * sum over pairs with d <= r of A / gamma, where gamma
    is the area that the window shares with itself shifted by the pair's distance
    vector (translation correction). L = sqrt(K / pi) is r for points at random,
    and g, here the increase of K over that of pi r^2 from one radius to the next,
    is 1.

    Args:
        points: (N, 2) rows and columns, N at least 2.
        window: Where points are seen.
        radii: (R,) ascending, above 0 and well below the sides of the window.

    Returns:
        One row per radius: r, k, l, g (of the ring inside r).

    Example:
        >>> points = np.array([[r, c] for r in (0.25, 0.75) for c in (0.25, 0.75)])
        >>> found = pair_statistics(points, Window(1.0, 1.0), np.array([0.4, 0.6]))
        >>> found["k"].round(4).tolist()
        [0.0, 1.3333]

    References:
        B. D. Ripley, J. R. Stat. Soc. B 39 (1977) 172,
        doi:10.1111/j.2517-6161.1977.tb01615.x; J. Ohser, D. Stoyan, Biometrical
        Journal 23 (1981) 523, doi:10.1002/bimj.4710230602.
    """
    count = len(points)
    pairs = cKDTree(points).query_pairs(float(radii[-1]), output_type="ndarray")
    shifts = points[pairs[:, 0]] - points[pairs[:, 1]]
    at = np.searchsorted(radii, np.hypot(shifts[:, 0], shifts[:, 1]), side="left")
    shares = 2 * window.area / window.overlaps(shifts)  # each pair in both directions
    sums = np.bincount(at, shares, len(radii))[: len(radii)]
    rings = sums * (window.area / (count * (count - 1)))
    k = np.cumsum(rings)
    ring_areas = math.pi * np.diff(radii**2, prepend=0.0)
    return pd.DataFrame(
        {"r": radii, "k": k, "l": np.sqrt(k / math.pi), "g": rings / ring_areas}
    )
