"""Soft Dice: the overlap of a defect with its prediction, however rare it is."""

import keras
from keras import ops

from defectkeras.losses.segmentation_loss import (
    SegmentationLoss,
    Tensor,
    divide_or,
    soft_counts,
)


@keras.saving.register_keras_serializable(package="defectkeras")
class SoftDice(SegmentationLoss):
    """One minus the soft Dice coefficient, averaged over the defect classes.

    With the sums over the annotated pixels of the whole batch, for each class but
    the matrix, `1 - 2 TP / (2 TP + FP + FN)`, where TP = sum(p y),
    FP = sum(p (1 - y)) and FN = sum((1 - p) y). A class that is neither in the
    class maps nor in the prediction gives 0 (Keras' gives 1).

    Args:
        name: Name of the loss.

    Example:
        >>> import numpy as np
        >>> class_map = np.array([[[1, 1, 0, 0]]])
        >>> logits = np.array([[[[9.0], [-9.0], [-9.0], [-9.0]]]])
        >>> round(float(SoftDice()(class_map, logits)), 3)  # TP 1, FN 1
        0.333

    References:
        F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net", 3DV (2016),
        https://doi.org/10.1109/3DV.2016.79 (there with squares in the
        denominator, here without).
    """

    def __init__(self, name: str = "dice") -> None:
        super().__init__(name)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        hit, false, missed = soft_counts(y_true, y_pred)
        dice = divide_or(2.0 * hit, 2.0 * hit + false + missed, default=1.0)
        return ops.mean(1.0 - dice)
