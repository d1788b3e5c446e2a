"""Kappa: agreement of annotators on the class of each pixel, beyond chance.

Pixels of one object are not independent, so a kappa over pixels has no interval of
its own; its spread over fields tells how sure it is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap


def cohen_kappa(counts: NDArray[np.int64]) -> float | None:
    """Give the agreement of two annotators beyond chance.

    (p_o - p_e) / (1 - p_e) over maps (H, W), p_o the share of equal pixels and p_e that
    of two annotators with the same shares of the classes by chance.

    Args:
        counts: (K, K) pixels that the first calls k and the second l.

    Returns:
        From -1 to 1; None when there are no pixels or all are of one class.

    Example:
        >>> round(cohen_kappa(np.array([[20, 5], [10, 15]])), 6)
        0.4

    References:
        J. Cohen, Educ. Psychol. Meas. 20 (1960) 37,
        doi:10.1177/001316446002000104.
    """
    total = int(counts.sum())
    if total == 0:
        return None
    shares = counts / total
    observed = float(np.trace(shares))
    expected = float(shares.sum(axis=0) @ shares.sum(axis=1))
    return _beyond_chance(observed, expected)


def fleiss_kappa(class_maps: Sequence[ClassMap], num_classes: int) -> float | None:
    """Give the agreement of two or more annotators beyond chance.

    For each pixel, the share of pairs of annotators that agree; its mean p_o
    against p_e, the sum of the squared shares of the classes.

    Args:
        class_maps: Each (H, W), of one micrograph; pixels that one of them has
            not annotated are left out.
        num_classes: Number of classes, the matrix among them.

    Returns:
        From -1 to 1; None when there are no pixels or all are of one class.

    References:
        J. L. Fleiss, Psychol. Bull. 76 (1971) 378, doi:10.1037/h0031619.
    """
    stack = np.stack([np.ravel(m) for m in class_maps])
    known = stack[:, (stack != NOT_ANNOTATED).all(axis=0)]
    raters, pixels = known.shape
    if raters < 2 or pixels == 0:
        return None
    agreeing = 0.0
    expected = 0.0
    for index in range(num_classes):
        votes = np.count_nonzero(known == index, axis=0).astype(np.int64)
        agreeing += float((votes * (votes - 1)).sum())
        expected += (float(votes.sum()) / (raters * pixels)) ** 2
    observed = agreeing / (raters * (raters - 1) * pixels)
    return _beyond_chance(observed, expected)


def _beyond_chance(observed: float, expected: float) -> float | None:
    return None if expected >= 1 else (observed - expected) / (1 - expected)
