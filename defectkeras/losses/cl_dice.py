"""Soft-clDice: do the center lines of truth and prediction lie in each other?"""

from collections.abc import Sequence

import keras
from keras import ops

from defectkeras.losses.segmentation_loss import (
    PIXELS,
    SegmentationLoss,
    Tensor,
    annotated_pixels,
    defect_maps,
)

_SMOOTH = 1.0  # as published: a class that is nowhere gives 0


@keras.saving.register_keras_serializable(package="defectkeras")
class SoftClDice(SegmentationLoss):
    """One minus soft-clDice, averaged over the line classes.

    With S(.) the soft skeleton and sums over the annotated pixels of the batch,
    the precision `T_p = (sum S(p) y + 1) / (sum S(p) + 1)`, the sensitivity
    `T_s = (sum S(y) p + 1) / (sum S(y) + 1)` and the loss
    `1 - 2 T_p T_s / (T_p + T_s)`. It sees gaps and spurs and is blind for the
    thickness of a line: add it to another loss, as in "0.7*dice + 0.3*cldice".

    Args:
        classes: Indices of the line classes; 1 for one map of logits.
        iterations: Of the skeleton; at least half of the thickest line in px.
        name: Name of the loss.

    Raises:
        ValueError: When there is no class or no iteration.

    Example:
        >>> import numpy as np
        >>> class_map = np.zeros((1, 7, 9), int)
        >>> class_map[0, 2:5, 1:8] = 1  # a bar, its skeleton has 5 px
        >>> cut = np.where(class_map > 0, 99.0, -99.0)[..., None]
        >>> cut[:, :, 4] = -99.0
        >>> round(float(SoftClDice(classes=1)(class_map, cut)), 5)  # 1 / 11
        0.09091

    References:
        S. Shit, J. C. Paetzold et al., "clDice - a novel topology-preserving loss
        function for tubular structure segmentation", CVPR (2021),
        https://doi.org/10.1109/CVPR46437.2021.01629
    """

    def __init__(
        self, classes: int | Sequence[int], iterations: int = 5, name: str = "cldice"
    ) -> None:
        super().__init__(name)
        self.classes = (classes,) if isinstance(classes, int) else tuple(classes)
        if not self.classes or min(self.classes) < 1:
            raise ValueError(
                "`classes` must be indices of line classes, 1 or more. Received: "
                f"{self.classes}."
            )
        if iterations != int(iterations) or iterations < 1:
            raise ValueError(
                f"`iterations` must be a whole number from 1. Received: {iterations}."
            )
        self.iterations = int(iterations)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        truth, probability = defect_maps(y_true, y_pred)
        if max(self.classes) > truth.shape[-1]:
            raise ValueError(
                f"`classes` must be indices from 1 to {truth.shape[-1]}. Received: "
                f"{self.classes}."
            )
        lines = [c - 1 for c in self.classes]
        truth = ops.take(truth, lines, axis=-1)
        probability = ops.take(probability, lines, axis=-1)
        known = annotated_pixels(y_true)[..., None]
        true_line = soft_skeleton(truth, known, self.iterations)
        line = soft_skeleton(probability, known, self.iterations)
        precision = _part(line, truth)
        sensitivity = _part(true_line, probability)
        dice = 2.0 * precision * sensitivity / (precision + sensitivity)
        return ops.mean(1.0 - dice)


def _part(line: Tensor, region: Tensor) -> Tensor:
    """Give the part of each line that lies in its region, (C,)."""
    inside = ops.sum(line * region, axis=PIXELS)
    return (inside + _SMOOTH) / (ops.sum(line, axis=PIXELS) + _SMOOTH)


def soft_skeleton(maps: Tensor, known: Tensor, iterations: int) -> Tensor:
    """Give the center lines of soft masks.

    What an opening takes away is skeleton; erode and repeat. The border of the
    image, and of what is annotated, erodes nothing: a line that leaves it goes on.

    Args:
        maps: (B, H, W, C) from 0 to 1.
        known: (B, H, W, 1), 1.0 where a pixel is annotated, else 0.0.
        iterations: How often to erode; thicker lines keep no skeleton.

    Returns:
        (B, H, W, C) from 0 to 1, 0 where nothing is known.
    """

    def erode(maps: Tensor) -> Tensor:
        negative = -ops.where(known > 0, maps, 1.0)
        return -ops.maximum(_spread(negative, 1), _spread(negative, 2))

    def remainder(maps: Tensor, eroded: Tensor) -> Tensor:
        opened = _spread(_spread(known * eroded, 1), 2)
        return known * ops.relu(maps - opened)

    eroded = erode(maps)
    skeleton = remainder(maps, eroded)
    for _ in range(iterations):
        maps, eroded = eroded, erode(eroded)
        more = remainder(maps, eroded)
        skeleton = skeleton + ops.relu(more - skeleton * more)
    return skeleton


def _spread(maps: Tensor, axis: int) -> Tensor:
    """Give the largest of each pixel and its two neighbors along axis 1 or 2."""
    if axis == 1:
        before = ops.concatenate([maps[:, :1], maps[:, :-1]], axis=1)
        after = ops.concatenate([maps[:, 1:], maps[:, -1:]], axis=1)
    else:
        before = ops.concatenate([maps[:, :, :1], maps[:, :, :-1]], axis=2)
        after = ops.concatenate([maps[:, :, 1:], maps[:, :, -1:]], axis=2)
    return ops.maximum(maps, ops.maximum(before, after))
