"""Objects at random that do not overlap: what statistics of places compare with.

Objects of finite size keep a distance, so against points at random they always
look ordered. Here the same discs are put down at random, one after the other,
where there is room (random sequential adsorption).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from defectkeras.quantification.neighbors import nearest_distances
from defectkeras.quantification.ripley import pair_statistics
from defectkeras.quantification.runs import Floats
from defectkeras.quantification.windows import Window

SIMULATIONS = 119
"""The third lowest and the third highest of 119 hold 95 % of what chance gives."""

_TAILS = 40  # one in so many is above the envelope, and one below

_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Arrangement:
    """How objects lie, beside the same objects put down at random.

    Attributes:
        curves: One row per radius: r, k, l, g, and for l and g the mean of the
            simulations and an envelope of 95 % of them, such as l_mean, l_low, l_high;
            of all of them where they are fewer than 79.
        distance_ratio: Mean distance to the nearest neighbor over its mean in the
            simulations; below 1 clustered, above 1 ordered.
        distance_p: Two-sided p-value of it, by rank.
        curve_p: That the largest deviation of L is by chance: from the mean of all
            curves, the seen one too.
    """

    curves: pd.DataFrame
    distance_ratio: float
    distance_p: float
    curve_p: float


def place_discs(rng: Generator, radii: Floats, window: Window) -> Floats | None:
    """Put discs down at random so that no two overlap.

    Args:
        rng: Source of randomness.
        radii: (N,) of the discs.
        window: For the centers.

    Returns:
        (N, 2) centers, or None when there is no room.
    """
    order = np.argsort(-radii, kind="stable")  # the large ones find room first
    sizes = radii[order]
    places = window.draw(rng, len(sizes))
    is_placed = np.zeros(len(sizes), dtype=bool)
    for _ in range(_ROUNDS):
        pairs = _overlaps(places, sizes)
        # Of two that overlap, the one that lies already stays, else the larger one.
        first_stays = is_placed[pairs[:, 0]] | ~is_placed[pairs[:, 1]]
        lost = np.unique(np.where(first_stays, pairs[:, 1], pairs[:, 0]))
        is_placed[:] = True
        is_placed[lost] = False
        if len(lost) == 0:
            found = np.empty_like(places)
            found[order] = places
            return found
        places[lost] = window.draw(rng, len(lost))
    return None


def _overlaps(places: Floats, sizes: Floats) -> NDArray[np.intp]:
    """Give the pairs (P, 2) of discs that overlap, the larger one first.

    Discs of about one size are asked at once which of those that are no larger lie
    near: asked with the largest, all discs would be neighbors of all.
    """
    found = []
    start = 0
    while start < len(sizes):  # sizes fall
        stop = max(start + 1, int(np.searchsorted(-sizes, -sizes[start] / 2)))
        near = cKDTree(places[start:stop]).sparse_distance_matrix(
            cKDTree(places[start:]), 2 * float(sizes[start]), output_type="ndarray"
        )
        pairs = np.column_stack([near["i"], near["j"]]) + start
        is_overlap = near["v"] < sizes[pairs].sum(axis=1)
        found.append(pairs[is_overlap & (pairs[:, 0] < pairs[:, 1])])
        start = stop
    return np.concatenate(found)


def compare_with_random(
    points: Floats,
    disc_radii: Floats,
    window: Window,
    radii: Floats,
    *,
    seed: int | Sequence[int] = 0,
    simulations: int = SIMULATIONS,
) -> Arrangement | None:
    """Compare how objects lie with the same discs put down at random.

    Args:
        points: (N, 2) centers, N at least 2.
        disc_radii: (N,) half the smallest width of each object.
        window: Where centers are seen.
        radii: (R,) distances for K, L and g.
        seed: Of the simulations.
        simulations: Their number S; p-values are multiples of 1 / (S + 1).

    Returns:
        The comparison, or None when the discs find no room.
    """
    rng = np.random.default_rng(seed)
    observed = pair_statistics(points, window, radii)
    mean_distance = float(nearest_distances(points).mean())
    curves, distances = [], []
    for _ in range(simulations):
        places = place_discs(rng, disc_radii, window)
        if places is None:
            return None
        curves.append(pair_statistics(places, window, radii)[["l", "g"]].to_numpy())
        distances.append(float(nearest_distances(places).mean()))
    simulated = np.stack(curves)  # (S, R, 2)
    rank = max((simulations + 1) // _TAILS, 1)
    low, high = np.sort(simulated, axis=0)[[rank - 1, -rank]]
    table = observed.copy()
    for number, name in enumerate(("l", "g")):
        table[f"{name}_mean"] = simulated[..., number].mean(axis=0)
        table[f"{name}_low"] = low[:, number]
        table[f"{name}_high"] = high[:, number]
    # Of all together, the seen one too: by chance each is then as far off as another.
    curves_l = np.vstack([observed["l"].to_numpy(), simulated[..., 0]])
    seen, *deviations = np.abs(curves_l - curves_l.mean(axis=0)).max(axis=1)
    return Arrangement(
        curves=table,
        distance_ratio=mean_distance / float(np.mean(distances)),
        distance_p=two_sided_p(mean_distance, np.array(distances)),
        curve_p=float((np.array(deviations) >= seen).sum() + 1) / (simulations + 1),
    )


def two_sided_p(value: float, simulated: Floats) -> float:
    """Give the p-value of a value by its rank among simulated ones."""
    above, below = (simulated >= value).sum(), (simulated <= value).sum()
    return min(1.0, 2 * float(min(above, below) + 1) / (len(simulated) + 1))
