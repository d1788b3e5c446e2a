"""Cross-entropy: plain, weighted by class, with smoothed labels."""

from collections.abc import Sequence

import keras
from keras import ops

from defectkeras.losses.segmentation_loss import (
    SegmentationLoss,
    Tensor,
    mean_over_annotated,
    one_hot_classes,
    two_maps,
)


@keras.saving.register_keras_serializable(package="defectkeras")
class CrossEntropy(SegmentationLoss):
    """Cross-entropy with a weight for each class, averaged over annotated pixels.

    With w the weight of a pixel's true class c, p_k its probabilities and s the
    smoothing, `mean(-w_c sum_k((1 - s) [k = c] + s / K) ln p_k)`; without
    smoothing `mean(-w_c ln p_c)`, and for one map of logits
    `-mean(w_1 y ln p + w_0 (1 - y) ln(1 - p))`. One map counts as two classes. It
    is computed by log-softmax, so that no logit makes it infinite.

    Args:
        class_weights: One weight for each class, the matrix first; two for one
            map of logits. None weighs all classes by 1.
        smoothing: Part s in [0, 1) of each label that is spread evenly over all
            classes.
        name: Name of the loss.

    Raises:
        ValueError: When `smoothing` is out of its range.

    Example:
        >>> import numpy as np
        >>> class_map = np.array([[[1, 1, 0, -1]]])  # the last is not annotated
        >>> logits = np.zeros((1, 1, 4, 1))
        >>> loss = CrossEntropy(class_weights=(1.0, 8.0))
        >>> round(float(loss(class_map, logits)), 4)  # (8 + 8 + 1) / 3 * ln 2
        3.9278

    References:
        Smoothing: C. Szegedy et al., "Rethinking the Inception architecture for
        computer vision", CVPR (2016), https://doi.org/10.1109/CVPR.2016.308
    """

    def __init__(
        self,
        class_weights: Sequence[float] | None = None,
        smoothing: float = 0.0,
        name: str = "ce",
    ) -> None:
        super().__init__(name)
        if not 0 <= smoothing < 1:
            raise ValueError(
                f"`smoothing` must be at least 0 and below 1. Received: {smoothing}."
            )
        self.class_weights = None if class_weights is None else tuple(class_weights)
        self.smoothing = smoothing

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        logits = two_maps(y_pred) if y_pred.shape[-1] == 1 else y_pred
        num_classes = logits.shape[-1]
        truth = one_hot_classes(y_true, num_classes)
        weight = ops.sum(truth * self._weights(num_classes), axis=-1)  # (B, H, W)
        share = (1.0 - self.smoothing) * truth + self.smoothing / num_classes
        entropy = -ops.sum(share * ops.log_softmax(logits, axis=-1), axis=-1)
        return mean_over_annotated(weight * entropy, y_true)

    def _weights(self, num_classes: int) -> Tensor:
        """Give the weights (K,), checked against the number of classes."""
        weights = self.class_weights or (1.0,) * num_classes
        if len(weights) != num_classes:
            raise ValueError(
                f"`class_weights` must have one weight for each of {num_classes} "
                f"classes, the matrix first. Received: {weights}."
            )
        return ops.convert_to_tensor(weights, dtype="float32")
