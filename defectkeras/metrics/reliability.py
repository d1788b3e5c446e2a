"""Whether a probability of 0.8 is right in 8 cases of 10."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, ProbabilityMap
from defectkeras.metrics.pixels import Counts, Scores
from defectkeras.metrics.ratios import divide


@dataclass(frozen=True, eq=False)
class ReliabilityCounts:
    """Pixels by their probability, in M equal bins ((m - 1) / M, m / M].

    Counts of micrographs add up: `first + second`.

    Attributes:
        pixels: (M,) pixels in each bin; probability 0 is in the first.
        right: (M,) those where the class is what the probability was for.
        probability_sum: (M,) sum of their probabilities.
    """

    pixels: Counts
    right: Counts
    probability_sum: Scores

    def __add__(self, other: "ReliabilityCounts") -> "ReliabilityCounts":
        """Pool the counts of two micrographs."""
        return ReliabilityCounts(
            self.pixels + other.pixels,
            self.right + other.right,
            self.probability_sum + other.probability_sum,
        )

    @property
    def mean_probability(self) -> Scores:
        """(M,) mean probability of each bin; NaN where it is empty."""
        return np.asarray(divide(self.probability_sum, self.pixels))

    @property
    def frequency(self) -> Scores:
        """(M,) part of each bin that is right; NaN where it is empty."""
        return np.asarray(divide(self.right, self.pixels))

    @property
    def expected_calibration_error(self) -> float:
        """Mean of |frequency - mean probability| over all pixels, bin by bin.

        From 0 to 1; NaN without a pixel.
        """
        gaps = np.abs(self.right - self.probability_sum)
        return float(divide(gaps.sum(), self.pixels.sum()))


def count_reliability(
    true: ClassMap,
    probability_map: ProbabilityMap,
    *,
    index: int | None = None,
    num_bins: int = 15,
) -> ReliabilityCounts:
    """Count the annotated pixels by their probability and by what they are.

    Without an index the probability is that of the likeliest class, and it is
    right where this class is annotated. As most pixels are matrix and easy, the
    error is then small whatever becomes of the defects. With an index it is the
    probability of this class in every pixel.

    Args:
        true: (H, W) class indices, `NOT_ANNOTATED` among them.
        probability_map: (H, W, K) probabilities.
        index: A class, or None for the likeliest one.
        num_bins: Number of bins M.

    Returns:
        The counts of each bin.

    Raises:
        ValueError: When the shapes differ or there is no bin.

    Example:
        >>> true = np.array([[1, 0, 1, -1]])
        >>> p = np.array([[0.9, 0.9, 0.3, 0.9]])
        >>> counts = count_reliability(
        ...     true, np.stack([1 - p, p], axis=-1), index=1, num_bins=2)
        >>> counts.pixels, counts.frequency
        (array([1, 2]), array([1. , 0.5]))
        >>> round(counts.expected_calibration_error, 4)  # (0.7 + 0.8) / 3
        0.5

    References:
        C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern
        neural networks", ICML (2017), https://doi.org/10.48550/arXiv.1706.04599
    """
    if true.shape != probability_map.shape[:2]:
        raise ValueError(
            "`probability_map` must have the height and the width of `true`, "
            f"{true.shape}. Received: {probability_map.shape}."
        )
    if num_bins < 1:
        raise ValueError(f"`num_bins` must be at least 1. Received: {num_bins}.")
    annotated = true != NOT_ANNOTATED
    classes = true[annotated]
    if index is not None:
        values = probability_map[..., index][annotated]
        return _count(values, classes == index, num_bins)
    planes = [
        probability_map[..., k][annotated] for k in range(probability_map.shape[2])
    ]
    stack = np.stack(planes)  # (K, pixels) is far quicker to compare than (pixels, K)
    return _count(stack.max(axis=0), stack.argmax(axis=0) == classes, num_bins)


def _count(
    probabilities: NDArray[np.floating], is_right: NDArray[np.bool_], num_bins: int
) -> ReliabilityCounts:
    """Sort probabilities (N, ) into bins."""
    values = probabilities.astype(np.float64)
    bins = np.ceil(values * num_bins).astype(np.int64) - 1
    np.clip(bins, 0, num_bins - 1, out=bins)
    counts = np.bincount(2 * bins + is_right, minlength=2 * num_bins).reshape(-1, 2)
    sums = np.bincount(bins, weights=values, minlength=num_bins)
    return ReliabilityCounts(
        pixels=counts.sum(axis=1),
        right=counts[:, 1],
        probability_sum=np.asarray(sums, dtype=np.float64),
    )
