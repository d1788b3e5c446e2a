"""How well a predicted class map agrees with the annotation, pixel by pixel.

Everything comes from one confusion matrix of counts (K, K), int64: row t and
column p is the number of pixels of class t that were called p. Counts of images
add up to the counts of the set ("pooled"), and give scores of their own
("mean over images"). Pixels that are `NOT_ANNOTATED` are not counted.

The counts are NumPy's and not those of `keras.metrics`, which in Keras 3.15.1
also count a batch that is not there when the number of batches is unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.metrics.ratios import divide, mean_of_numbers, number_or_none

Counts = NDArray[np.int64]
Scores = NDArray[np.float64]


def confusion_counts(
    true: NDArray[np.integer[Any]],
    predicted: NDArray[np.integer[Any]],
    *,
    num_classes: int,
) -> Counts:
    """Count the annotated pixels by true and by predicted class.

    Args:
        true: (H, W) or (B, H, W) class indices, `NOT_ANNOTATED` among them.
        predicted: Class indices of the same shape.
        num_classes: Number of classes K, the matrix among them.

    Returns:
        (K, K) counts, the true class by row and the predicted one by column.

    Raises:
        ValueError: When the shapes differ, or an index is no class.

    Example:
        >>> confusion_counts(np.array([[0, 1, -1]]), np.array([[0, 0, 1]]),
        ...                  num_classes=2)
        array([[1, 0],
               [1, 0]])
    """
    if true.shape != predicted.shape:
        raise ValueError(
            "`true` and `predicted` must have the same shape. Received: "
            f"{true.shape} and {predicted.shape}."
        )
    annotated = true != NOT_ANNOTATED
    rows = true[annotated].astype(np.int64)
    columns = predicted[annotated].astype(np.int64)
    for name, classes in (("true", rows), ("predicted", columns)):
        if classes.size and not 0 <= classes.min() <= classes.max() < num_classes:
            raise ValueError(
                f"`{name}` must hold class indices from 0 to {num_classes - 1}. "
                f"Received: {classes.min()} to {classes.max()}."
            )
    pairs = np.bincount(num_classes * rows + columns, minlength=num_classes**2)
    return pairs.reshape(num_classes, num_classes).astype(np.int64)


@dataclass(frozen=True)
class PixelScores:
    """The scores of a confusion matrix, each from 0 to 1.

    A score whose denominator is 0 is NaN: the IoU and the F1 of a class that is
    neither annotated nor predicted, the precision of one that is not predicted,
    the recall of one that is not annotated. Means leave NaN out.

    Attributes:
        iou: (K,) TP / (TP + FP + FN) of each class.
        precision: (K,) TP / (TP + FP).
        recall: (K,) TP / (TP + FN).
        f1: (K,) 2 TP / (2 TP + FP + FN).
        pixel_accuracy: Part of the annotated pixels that is right.
        micro_iou: Sum of TP over sum of (TP + FP + FN), both over all classes.
        micro_defect_iou: The same over all classes but the matrix.
    """

    iou: Scores
    precision: Scores
    recall: Scores
    f1: Scores
    pixel_accuracy: float
    micro_iou: float
    micro_defect_iou: float

    @property
    def mean_iou(self) -> float:
        """Mean of the IoU over all classes (macro IoU)."""
        return mean_of_numbers(self.iou)

    @property
    def mean_defect_iou(self) -> float:
        """Mean of the IoU over all classes but the matrix."""
        return mean_of_numbers(self.iou[1:])

    def to_dict(self, class_names: Sequence[str]) -> dict[str, Any]:
        """Give all scores by name, for JSON; NaN becomes None.

        Args:
            class_names: K names, the matrix first.
        """
        per_class = {
            "iou": self.iou,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }
        return {
            "pixel_accuracy": number_or_none(self.pixel_accuracy),
            "mean_iou": number_or_none(self.mean_iou),
            "mean_defect_iou": number_or_none(self.mean_defect_iou),
            "micro_iou": number_or_none(self.micro_iou),
            "micro_defect_iou": number_or_none(self.micro_defect_iou),
            "classes": {
                name: {score: number_or_none(v[k]) for score, v in per_class.items()}
                for k, name in enumerate(class_names)
            },
        }


def score_counts(counts: Counts) -> PixelScores:
    """Give the scores of a confusion matrix.

    Args:
        counts: (K, K) counts, the true class by row; the sum over the images of
            a set gives its pooled scores.

    Returns:
        The scores of each class and of all.

    Example:
        >>> score_counts(np.array([[6, 2], [1, 3]])).iou.round(3)
        array([0.667, 0.5  ])
    """
    hits = np.diag(counts).astype(np.float64)
    annotated, called = counts.sum(axis=1), counts.sum(axis=0)
    either = annotated + called - hits
    return PixelScores(
        iou=divide(hits, either),
        precision=divide(hits, called),
        recall=divide(hits, annotated),
        f1=divide(2 * hits, annotated + called),
        pixel_accuracy=float(divide(hits.sum(), counts.sum())),
        micro_iou=float(divide(hits.sum(), either.sum())),
        micro_defect_iou=float(divide(hits[1:].sum(), either[1:].sum())),
    )


def mean_iou_over_images(counts: Counts) -> Scores:
    """Average the IoU of each class over images, each image weighing the same.

    An image where a class is neither annotated nor predicted does not count for
    that class. The pooled form is `score_counts(counts.sum(axis=0)).iou`, in which
    an image weighs by its pixels of the class.

    Args:
        counts: (N, K, K) counts of N images.

    Returns:
        (K,) mean IoU; NaN for a class that is in no image.

    Example:
        >>> mean_iou_over_images(np.array([[[2, 1], [0, 1]], [[3, 0], [0, 0]]]))
        array([0.83333333, 0.5       ])
    """
    iou = np.array([score_counts(image).iou for image in counts])
    return np.array([mean_of_numbers(column) for column in iou.T])
