"""What all losses share: float32, annotated pixels, probabilities, soft counts."""

import inspect
from typing import Any, TypeAlias

import keras
from keras import ops

from defectkeras.core.arrays import NOT_ANNOTATED

Tensor: TypeAlias = Any

PIXELS = (0, 1, 2)
"""The axes of a batch over which sums go: all pixels of all images."""


class SegmentationLoss(keras.losses.Loss):
    """A loss over the annotated pixels of a batch, computed in float32.

    A child keeps each argument of its constructor as an attribute of the same
    name, as JSON can hold it.

    Args:
        name: Name of the loss.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, dtype="float32")

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this loss again."""
        return {a: getattr(self, a) for a in inspect.signature(type(self)).parameters}


def annotated_pixels(class_map: Tensor) -> Tensor:
    """Give 1.0 where a pixel is annotated and 0.0 elsewhere, (B, H, W)."""
    return ops.cast(ops.not_equal(class_map, NOT_ANNOTATED), "float32")


def mean_over_annotated(values: Tensor, class_map: Tensor) -> Tensor:
    """Average (B, H, W) values over the annotated pixels; 0 when there are none."""
    annotated = annotated_pixels(class_map)
    return ops.sum(values * annotated) / ops.maximum(ops.sum(annotated), 1.0)


def one_hot_classes(class_map: Tensor, num_maps: int) -> Tensor:
    """Give (B, H, W, K) with 1.0 in the map of each pixel's class.

    One map holds the defect, several hold the classes with the matrix first. A
    pixel that is not annotated has 0.0 in all of them.
    """
    if num_maps == 1:
        return ops.cast(ops.equal(class_map, 1)[..., None], "float32")
    classes = ops.arange(num_maps, dtype=class_map.dtype)
    return ops.cast(ops.equal(class_map[..., None], classes), "float32")


def two_maps(logits: Tensor) -> Tensor:
    """Write one map of logits as the two maps of a softmax, the matrix first."""
    return ops.concatenate([ops.zeros_like(logits), logits], axis=-1)


def defect_maps(class_map: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Give truth and probability of each class but the matrix, (B, H, W, D).

    Pixels that are not annotated have 0.0 in both.
    """
    num_maps = logits.shape[-1]
    first = 0 if num_maps == 1 else 1
    activate = ops.sigmoid if num_maps == 1 else ops.softmax
    truth = one_hot_classes(class_map, num_maps)[..., first:]
    probability = activate(logits)[..., first:]
    return truth, probability * annotated_pixels(class_map)[..., None]


def soft_counts(class_map: Tensor, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give TP = sum(p y), FP = sum(p (1 - y)), FN = sum((1 - p) y), each (D,).

    The sums go over the annotated pixels of the whole batch, for each class but
    the matrix.
    """
    truth, probability = defect_maps(class_map, logits)
    return (
        ops.sum(probability * truth, axis=PIXELS),
        ops.sum(probability * (1.0 - truth), axis=PIXELS),
        ops.sum((1.0 - probability) * truth, axis=PIXELS),
    )


def divide_or(part: Tensor, whole: Tensor, default: float) -> Tensor:
    """Divide, with a default where the whole is 0, and no NaN in the gradient."""
    is_empty = ops.equal(whole, 0.0)
    return ops.where(is_empty, default, part / ops.where(is_empty, 1.0, whole))
