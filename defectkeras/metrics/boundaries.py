"""How well boundaries lie on boundaries, within a tolerance."""

from dataclasses import dataclass

import cv2
import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, Mask
from defectkeras.metrics.pixels import Counts, Scores
from defectkeras.metrics.ratios import divide


@dataclass(frozen=True, eq=False)
class BoundaryCounts:
    """Pixels of the boundaries of K classes, and how many found a partner.

    Counts of micrographs add up: `first + second`.

    Attributes:
        true: (K,) pixels of the annotated boundaries.
        found: (K,) those with a predicted boundary within the tolerance.
        predicted: (K,) pixels of the predicted boundaries.
        right: (K,) those with an annotated boundary within the tolerance.
    """

    true: Counts
    found: Counts
    predicted: Counts
    right: Counts

    def __add__(self, other: "BoundaryCounts") -> "BoundaryCounts":
        """Pool the counts of two micrographs."""
        return BoundaryCounts(
            self.true + other.true,
            self.found + other.found,
            self.predicted + other.predicted,
            self.right + other.right,
        )

    @property
    def precision(self) -> Scores:
        """(K,) right / predicted; NaN where no boundary is predicted."""
        return np.asarray(divide(self.right, self.predicted))

    @property
    def recall(self) -> Scores:
        """(K,) found / true; NaN where no boundary is annotated."""
        return np.asarray(divide(self.found, self.true))

    @property
    def f1(self) -> Scores:
        """(K,) 2 P R / (P + R), the BF score.

        0 where a class has a boundary on one side only, NaN where on neither.
        """
        precision = np.nan_to_num(self.precision)
        recall = np.nan_to_num(self.recall)
        total = precision + recall
        f1 = 2 * precision * recall / np.where(total > 0, total, 1)
        return np.where(self.true + self.predicted > 0, f1, np.nan)


def count_boundaries(
    true: ClassMap, predicted: ClassMap, *, num_classes: int, tolerance_px: float = 2.0
) -> BoundaryCounts:
    """Count boundary pixels that lie near a boundary of the same class.

    A pixel is on the boundary of its class when one of its 4 neighbors is of
    another class. The border of the image is no boundary, and neither is the
    border of what is annotated. A boundary pixel is matched when a pixel of the
    other map's boundary of this class is at most `tolerance_px` away (Euclidean);
    several may share a partner.

    Args:
        true: (H, W) class indices, `NOT_ANNOTATED` among them.
        predicted: (H, W) class indices.
        num_classes: Number of classes K, the matrix among them.
        tolerance_px: Largest distance, at least 0. The authors took 0.75 % of the
            image diagonal.

    Returns:
        The counts of each class.

    Raises:
        ValueError: When the shapes differ or the tolerance is below 0.

    Example:
        >>> true = np.array([[0, 0, 0, 1, 1, 1, 1, 1]])
        >>> predicted = np.array([[0, 0, 0, 0, 0, 1, 1, 1]])
        >>> for tolerance_px in (1, 2):
        ...     counts = count_boundaries(
        ...         true, predicted, num_classes=2, tolerance_px=tolerance_px)
        ...     print(counts.f1)
        [0. 0.]
        [1. 1.]

    References:
        G. Csurka, D. Larlus, F. Perronnin, "What is a good evaluation measure for
        semantic segmentation?", BMVC (2013), https://doi.org/10.5244/C.27.32
    """
    if true.shape != predicted.shape:
        raise ValueError(
            "`true` and `predicted` must have the same shape. Received: "
            f"{true.shape} and {predicted.shape}."
        )
    if not 0 <= tolerance_px < np.inf:
        raise ValueError(
            f"`tolerance_px` must be at least 0. Received: {tolerance_px}."
        )
    annotated = true != NOT_ANNOTATED
    edges = _boundary_pixels(true, annotated), _boundary_pixels(predicted, annotated)
    disc = _disc(tolerance_px)
    rows = []
    for index in range(num_classes):
        one, other = edges[0] & (true == index), edges[1] & (predicted == index)
        near_one, near_other = _dilate(one, disc), _dilate(other, disc)
        masks = (one, one & near_other, other, other & near_one)
        rows.append([np.count_nonzero(mask) for mask in masks])
    return BoundaryCounts(*np.array(rows, dtype=np.int64).T)


def _boundary_pixels(class_map: ClassMap, annotated: Mask) -> Mask:
    """Give the annotated pixels (H, W) beside an annotated one of another class."""
    edges = np.zeros(class_map.shape, dtype=bool)
    for here, there in (
        (np.s_[1:, :], np.s_[:-1, :]),
        (np.s_[:, 1:], np.s_[:, :-1]),
    ):
        differs = class_map[here] != class_map[there]
        differs &= annotated[here] & annotated[there]
        edges[here] |= differs
        edges[there] |= differs
    return edges


def _disc(radius_px: float) -> Mask:
    """Give the pixels (N, N) within a radius; by whole squares, so exactly."""
    reach = np.arange(-int(radius_px), int(radius_px) + 1)
    return reach[:, None] ** 2 + reach**2 <= radius_px**2


def _dilate(mask: Mask, disc: Mask) -> Mask:
    """Give the pixels (H, W) that have one of the mask within the disc."""
    return cv2.dilate(mask.view(np.uint8), disc.view(np.uint8)).view(bool)
