"""Agreement: objects of one annotation against another's."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from defectkeras.core.arrays import LabelMap
from defectkeras.quantification.runs import Floats, Integers


@dataclass(frozen=True, eq=False)
class ObjectMatch:
    """Which predicted object is which true one.

    Attributes:
        true_labels: (M,) labels of the matched true objects.
        predicted_labels: (M,) labels of their partners.
        ious: (M,) their intersections over unions.
        true_count: Number of true objects.
        predicted_count: Number of predicted objects.
    """

    true_labels: Integers
    predicted_labels: Integers
    ious: Floats
    true_count: int
    predicted_count: int

    @property
    def true_positives(self) -> int:
        """Number of matches."""
        return len(self.ious)

    @property
    def precision(self) -> float | None:
        """Matched part of the predicted objects; None when there are none."""
        return (
            self.true_positives / self.predicted_count if self.predicted_count else None
        )

    @property
    def recall(self) -> float | None:
        """Matched part of the true objects; None when there are none."""
        return self.true_positives / self.true_count if self.true_count else None

    @property
    def f1(self) -> float | None:
        """2 TP / (true + predicted); None when there are no objects at all."""
        total = self.true_count + self.predicted_count
        return 2 * self.true_positives / total if total else None

    @property
    def mean_iou(self) -> float | None:
        """Mean over the matches; None when there are none."""
        return float(self.ious.mean()) if len(self.ious) else None


def match_objects(
    true: LabelMap, predicted: LabelMap, *, min_iou: float = 0.5
) -> ObjectMatch:
    """Match objects one to one by their intersection over union.

    Above one half a partner is unique. Below, the matches are those with the
    largest sum of IoU (Hungarian method).

    Args:
        true: (H, W) object numbers, 0 where no object is.
        predicted: (H, W) likewise.
        min_iou: Smallest IoU of a match, above 0.

    Returns:
        The matches.

    Raises:
        ValueError: When shapes differ or `min_iou` is not above 0.

    Example:
        >>> true = np.array([[1, 1, 0, 2], [1, 1, 0, 2]], np.int32)
        >>> predicted = np.array([[5, 5, 0, 0], [5, 0, 0, 6]], np.int32)
        >>> match = match_objects(true, predicted, min_iou=0.5)
        >>> match.true_labels.tolist(), match.ious.tolist(), match.f1
        ([1, 2], [0.75, 0.5], 1.0)
    """
    if true.shape != predicted.shape:
        raise ValueError(
            f"`predicted` must have the shape of `true` {true.shape}. "
            f"Received: {predicted.shape}."
        )
    if not 0 < min_iou <= 1:
        raise ValueError(f"`min_iou` must be above 0, at most 1. Received: {min_iou}.")
    true_labels, true_areas = _areas(true)
    predicted_labels, predicted_areas = _areas(predicted)
    both = (true > 0) & (predicted > 0)
    base = int(predicted.max(initial=0)) + 1  # a pair of labels is one number
    pairs, common = np.unique(
        true[both].astype(np.int64) * base + predicted[both], return_counts=True
    )
    rows = np.searchsorted(true_labels, pairs // base)
    columns = np.searchsorted(predicted_labels, pairs % base)
    ious = common / (true_areas[rows] + predicted_areas[columns] - common)
    kept = ious >= min_iou
    rows, columns, ious = choose_partners(rows[kept], columns[kept], ious[kept])
    return ObjectMatch(
        true_labels=true_labels[rows],
        predicted_labels=predicted_labels[columns],
        ious=ious,
        true_count=len(true_labels),
        predicted_count=len(predicted_labels),
    )


def _areas(label_map: LabelMap) -> tuple[Integers, Integers]:
    """Give labels and areas of all objects."""
    labels, areas = np.unique(label_map[label_map > 0], return_counts=True)
    return labels.astype(np.int64), areas


def choose_partners(
    rows: Integers, columns: Integers, ious: Floats
) -> tuple[Integers, Integers, Floats]:
    """Give one partner each, with the largest sum of IoU.

    Args:
        rows: (P,) first object of each pair that may match.
        columns: (P,) second object.
        ious: (P,) their IoU, above 0.

    Returns:
        The pairs that match, likewise.
    """
    row_ids, row_index = np.unique(rows, return_inverse=True)
    column_ids, column_index = np.unique(columns, return_inverse=True)
    table = np.zeros((len(row_ids), len(column_ids)))
    table[row_index, column_index] = ious
    chosen_rows, chosen_columns = linear_sum_assignment(table, maximize=True)
    found = table[chosen_rows, chosen_columns]
    real = found > 0
    return (
        row_ids[chosen_rows[real]],
        column_ids[chosen_columns[real]],
        found[real],
    )
