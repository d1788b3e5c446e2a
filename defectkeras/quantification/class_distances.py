"""Distances from objects to another class, such as precipitates to dislocations.

They stand beside those of the same objects put down at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from defectkeras.core.arrays import Mask
from defectkeras.quantification.hard_core import two_sided_p
from defectkeras.quantification.runs import Floats
from defectkeras.quantification.windows import Window

SIMULATIONS = 199

MOST_TRIALS = 50
"""For each object to find a place; one that finds none touches."""


@dataclass(frozen=True, eq=False)
class ClassDistances:
    """How far objects are from another class.

    Attributes:
        distances_px: (N,) from the rim of each object, 0 where it touches.
        mean_px: Their mean.
        random_mean_px: Mean of it over the simulations.
        touching_fraction: Part of the objects nearer than `TOUCHING_PX`.
        random_touching_fraction: Mean of it over the simulations.
        p_value: Two-sided, of the mean distance, by rank.
    """

    distances_px: Floats
    mean_px: float
    random_mean_px: float
    touching_fraction: float
    random_touching_fraction: float
    p_value: float


TOUCHING_PX = 1.5
"""A rim nearer than this touches, as pixels that touch do."""


def class_distances(
    points: Floats,
    disc_radii: Floats,
    other: Mask,
    window: Window,
    *,
    apart: bool = False,
    seed: int | Sequence[int] = 0,
    simulations: int = SIMULATIONS,
) -> ClassDistances:
    """Measure how far objects are from the pixels of another class.

    The distance is that of the center less the object's radius, at least 0. The
    simulations put the centers anywhere in the window, so an object that hides
    a piece of a line counts as lying beside it in both. Objects of two classes
    never overlap on a class map, which chance must not do then either: without
    `apart` all would seem to keep away from each other.

    Args:
        points: (N, 2) centers, N at least 1.
        disc_radii: (N,) radii of discs of equal area.
        other: (H, W) true on the other class, somewhere at least.
        window: Where centers are seen.
        apart: Whether the simulations put no object over the other class.
        seed: Of the simulations.
        simulations: Their number S; p-values are multiples of 1 / (S + 1).

    Returns:
        The distances, and what chance would give.

    Example:
        >>> other = np.zeros((40, 60), bool)
        >>> other[:, 20] = True
        >>> found = class_distances(np.array([[10.0, 26.0]]), np.array([2.0]), other,
        ...                         Window(40.0, 60.0))
        >>> found.distances_px.round(2)
        array([4.])
    """
    far = cv2.distanceTransform(
        (~other).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )

    def gaps(places: Floats) -> Floats:
        limits = np.array(other.shape) - 1
        rows, columns = np.clip(np.floor(places).astype(np.int64), 0, limits).T
        return np.asarray(far[rows, columns] - disc_radii, dtype=np.float64)

    def at_random() -> Floats:
        found = gaps(window.draw(rng, len(points)))
        for _ in range(MOST_TRIALS if apart else 0):
            covers = found < 0
            if not covers.any():
                break
            tried = gaps(window.draw(rng, len(points)))
            found[covers] = tried[covers]
        return np.maximum(found, 0.0)

    rng = np.random.default_rng(seed)
    found = np.maximum(gaps(points), 0.0)
    random = np.stack([at_random() for _ in range(simulations)])
    means = random.mean(axis=1)
    return ClassDistances(
        distances_px=found,
        mean_px=float(found.mean()),
        random_mean_px=float(means.mean()),
        touching_fraction=float((found < TOUCHING_PX).mean()),
        random_touching_fraction=float((random < TOUCHING_PX).mean()),
        p_value=two_sided_p(float(found.mean()), means),
    )
