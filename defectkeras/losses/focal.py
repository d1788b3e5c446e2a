"""Focal loss: cross-entropy that looks away from what is right already."""

import keras
from keras import ops

from defectkeras.losses.segmentation_loss import (
    SegmentationLoss,
    Tensor,
    mean_over_annotated,
    one_hot_classes,
)

_SMALLEST = 1e-30  # below it the slope of x ** gamma is taken as 0


def sigmoid_focal_cross_entropy(
    y_true: Tensor, logits: Tensor, alpha: float | None = 0.25, gamma: float = 2.0
) -> Tensor:
    """Give the focal loss of each logit.

    `-a_t (1 - p_t)^gamma ln p_t`, with p_t = p and a_t = alpha where y = 1, and
    p_t = 1 - p and a_t = 1 - alpha where y = 0. These are alpha and gamma of
    `tfa.losses.SigmoidFocalCrossEntropy(from_logits=True)`, which sums this over
    its last axis.

    Args:
        y_true: (...) truth from 0 to 1.
        logits: (...) of the same shape.
        alpha: Weight of the defect; None weighs both by 1.
        gamma: How far the loss looks away, at least 0; 0 is cross-entropy.

    Returns:
        (...), one number for each logit.

    Example:
        >>> sigmoid_focal_cross_entropy([1.0], [0.0])  # 0.25 * 0.5^2 * ln 2
        <tf.Tensor: shape=(1,), dtype=float32, numpy=array([0.0433217], dtype=float32)>
    """
    logits = ops.convert_to_tensor(logits)
    y_true = ops.cast(y_true, logits.dtype)
    entropy = y_true * ops.softplus(-logits) + (1.0 - y_true) * ops.softplus(logits)
    miss = y_true * ops.sigmoid(-logits) + (1.0 - y_true) * ops.sigmoid(logits)
    loss = ops.power(ops.maximum(miss, _SMALLEST), gamma) * entropy
    if alpha is not None:
        loss = loss * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return loss


@keras.saving.register_keras_serializable(package="defectkeras")
class Focal(SegmentationLoss):
    """Focal loss, averaged over the annotated pixels.

    `mean(-a_t (1 - p_t)^gamma ln p_t)` with p_t the probability of a pixel's true
    class, and a_t = alpha for a defect, 1 - alpha for the matrix. For one map of
    logits it is the mean of `sigmoid_focal_cross_entropy`.

    Args:
        alpha: Weight of the defects in [0, 1]; None weighs all classes by 1.
        gamma: How far the loss looks away from pixels that are right, at least
            0; 0 is cross-entropy.
        name: Name of the loss.

    Raises:
        ValueError: When `alpha` or `gamma` is out of its range.

    Example:
        >>> import numpy as np
        >>> class_map = np.array([[[1, 0, -1]]])
        >>> logits = np.array([[[[0.0], [-9.0], [5.0]]]])
        >>> round(float(Focal()(class_map, logits)), 5)  # half of 0.04332
        0.02166

    References:
        T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar, "Focal loss for dense
        object detection", ICCV (2017), https://doi.org/10.1109/ICCV.2017.324
    """

    def __init__(
        self, alpha: float | None = 0.25, gamma: float = 2.0, name: str = "focal"
    ) -> None:
        super().__init__(name)
        if not (alpha is None or 0 <= alpha <= 1) or not gamma >= 0:
            raise ValueError(
                "`alpha` must be from 0 to 1 (or None) and `gamma` at least 0. "
                f"Received: {alpha} and {gamma}."
            )
        self.alpha, self.gamma = alpha, gamma

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        num_maps = y_pred.shape[-1]
        truth = one_hot_classes(y_true, num_maps)
        if num_maps == 1:
            focal = sigmoid_focal_cross_entropy(truth, y_pred, self.alpha, self.gamma)
            return mean_over_annotated(focal[..., 0], y_true)
        miss = ops.sum(ops.softmax(y_pred) * (1.0 - truth), axis=-1)  # 1 - p_t
        entropy = -ops.sum(truth * ops.log_softmax(y_pred), axis=-1)
        focal = ops.power(ops.maximum(miss, _SMALLEST), self.gamma) * entropy
        if self.alpha is not None:
            matrix = truth[..., 0]
            focal = focal * (self.alpha + (1.0 - 2.0 * self.alpha) * matrix)
        return mean_over_annotated(focal, y_true)
