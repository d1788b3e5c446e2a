"""Lovasz losses: what minimizes the IoU itself, not a stand-in for it.

Both sort the errors of all pixels of the batch and weigh each by how much the
IoU of its class would fall with it:

    errors m_1 >= m_2 >= ...;  I_k = |truth| - hits up to k;  U_k = |truth| +
    false up to k;  J_k = 1 - I_k / U_k;  loss = sum_k max(m_k, 0) (J_k - J_(k-1))

The difference is written out, 1 / U_k for a pixel of the class and
I_k / (U_k (U_k - 1)) for another, so that no two near numbers are subtracted.
Errors of 0 and 1 give exactly 1 - IoU. Classes without an annotated pixel in the
batch are left out ("present"); the counts are float32, exact up to 16.7 million
pixels of a batch.

References:
    M. Berman, A. Rannen Triki, M. B. Blaschko, "The Lovasz-Softmax loss", CVPR
    (2018), https://doi.org/10.1109/CVPR.2018.00464
"""

import keras
from keras import ops

from defectkeras.losses.segmentation_loss import (
    SegmentationLoss,
    Tensor,
    annotated_pixels,
    one_hot_classes,
    two_maps,
)


@keras.saving.register_keras_serializable(package="defectkeras")
class LovaszSoftmax(SegmentationLoss):
    """The Lovasz extension of 1 - IoU over probabilities, mean of present classes.

    The error of a pixel is `|y - p|`. The matrix counts as a class, and one map
    of logits as two classes.

    Args:
        name: Name of the loss.

    Example:
        >>> import numpy as np
        >>> class_map = np.array([[[1, 1, 0, 0]]])
        >>> logits = np.array([[[[99.0], [-99.0], [-99.0], [-99.0]]]])
        >>> round(float(LovaszSoftmax()(class_map, logits)), 4)  # IoU 1/2 and 2/3
        0.4167
    """

    def __init__(self, name: str = "lovasz") -> None:
        super().__init__(name)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        logits = two_maps(y_pred) if y_pred.shape[-1] == 1 else y_pred
        truth = one_hot_classes(y_true, logits.shape[-1])
        errors = ops.abs(truth - ops.softmax(logits))
        return _mean_over_present(errors, truth, y_true)


@keras.saving.register_keras_serializable(package="defectkeras")
class LovaszHinge(SegmentationLoss):
    """The Lovasz extension of 1 - IoU over margins, mean of present defects.

    The error of a pixel is `max(1 - z, 0)` where the class is and `max(1 + z, 0)`
    elsewhere, with z the logit of the class against all others,
    `z_c - ln sum_(j != c) exp z_j`. It is not bounded by 1.

    Args:
        name: Name of the loss.

    Example:
        >>> import numpy as np
        >>> class_map = np.array([[[1, 0, 0, 1]]])
        >>> logits = np.array([2, -1, 0.5, -3]).reshape(1, 1, 4, 1)
        >>> float(LovaszHinge()(class_map, logits))
        2.25
    """

    def __init__(self, name: str = "lovasz_hinge") -> None:
        super().__init__(name)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        num_maps = y_pred.shape[-1]
        truth = one_hot_classes(y_true, num_maps)
        margin = y_pred
        if num_maps > 1:
            truth = truth[..., 1:]
            maps = [_against_others(y_pred, c) for c in range(1, num_maps)]
            margin = ops.stack(maps, axis=-1)
        errors = ops.relu(1.0 - margin * (2.0 * truth - 1.0))
        return _mean_over_present(errors, truth, y_true)


def _against_others(logits: Tensor, index: int) -> Tensor:
    """Give the logit (B, H, W) of one class against all others."""
    others = ops.concatenate([logits[..., :index], logits[..., index + 1 :]], axis=-1)
    return logits[..., index] - ops.logsumexp(others, axis=-1)


def _mean_over_present(errors: Tensor, truth: Tensor, class_map: Tensor) -> Tensor:
    """Average the losses of the classes that are annotated in the batch.

    Args:
        errors: (B, H, W, C), at least 0.
        truth: (B, H, W, C), 0.0 or 1.0.
        class_map: (B, H, W), says which pixels are annotated. The error of the
            others becomes 0; they come last and add nothing.
    """
    num_maps = truth.shape[-1]
    known = annotated_pixels(class_map)[..., None]
    errors = ops.transpose(ops.reshape(errors * known, (-1, num_maps)))
    truth = ops.transpose(ops.reshape(truth, (-1, num_maps)))  # (C, pixels)
    order = ops.argsort(-errors, axis=-1)
    errors = ops.take_along_axis(errors, order, axis=-1)
    weights = _iou_loss_steps(ops.take_along_axis(truth, order, axis=-1))
    losses = ops.sum(errors * ops.stop_gradient(weights), axis=-1)
    present = ops.cast(ops.any(truth > 0, axis=-1), "float32")
    return ops.sum(losses * present) / ops.maximum(ops.sum(present), 1.0)


def _iou_loss_steps(truth: Tensor) -> Tensor:
    """Give by how much 1 - IoU grows with each pixel, (C, pixels), sorted."""
    size = ops.sum(truth, axis=-1, keepdims=True)
    left = size - ops.cumsum(truth, axis=-1)
    union = size + ops.cumsum(1.0 - truth, axis=-1)
    outside = left / ops.maximum(union * (union - 1.0), 1.0)
    return ops.where(truth > 0, 1.0 / ops.maximum(union, 1.0), outside)
