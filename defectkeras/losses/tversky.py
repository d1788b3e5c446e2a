"""Tversky and focal Tversky: Dice with false and missed pixels weighed apart."""

import keras
from keras import ops

from defectkeras.losses.segmentation_loss import (
    SegmentationLoss,
    Tensor,
    divide_or,
    soft_counts,
)

_SMALLEST = 1e-7  # below it the slope of x ** exponent is taken as 0


@keras.saving.register_keras_serializable(package="defectkeras")
class Tversky(SegmentationLoss):
    """One minus the Tversky index, averaged over the defect classes.

    `1 - TP / (TP + alpha FP + beta FN)` for each class but the matrix, with the
    soft counts of `SoftDice`. alpha weighs what is predicted and not there, beta
    what is there and missed: beta above alpha finds more. Both at 0.5 give Dice,
    both at 1 the Jaccard index. Keras up to 3.15 has alpha and beta exchanged.

    Args:
        alpha: Weight of false pixels, above 0.
        beta: Weight of missed pixels, above 0.
        name: Name of the loss.

    Raises:
        ValueError: When a weight is not above 0.

    Example:
        >>> import numpy as np
        >>> class_map = np.array([[[1, 1, 0, 0]]])
        >>> logits = np.array([[[[99.0], [-99.0], [-99.0], [-99.0]]]])
        >>> round(float(Tversky()(class_map, logits)), 3)  # 1 - 1 / (1 + 0.7)
        0.412

    References:
        S. S. M. Salehi, D. Erdogmus, A. Gholipour, "Tversky loss function for
        image segmentation using 3D fully convolutional deep networks", MLMI
        (2017), https://doi.org/10.1007/978-3-319-67389-9_44
    """

    def __init__(
        self, alpha: float = 0.3, beta: float = 0.7, name: str = "tversky"
    ) -> None:
        super().__init__(name)
        if not (alpha > 0 and beta > 0):
            raise ValueError(
                f"`alpha` and `beta` must be above 0. Received: {alpha} and {beta}."
            )
        self.alpha, self.beta = alpha, beta

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        return ops.mean(self.class_losses(y_true, y_pred))

    def class_losses(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give one minus the index of each defect class, (D,)."""
        hit, false, missed = soft_counts(y_true, y_pred)
        whole = hit + self.alpha * false + self.beta * missed
        return 1.0 - divide_or(hit, whole, default=1.0)


@keras.saving.register_keras_serializable(package="defectkeras")
class FocalTversky(Tversky):
    """The Tversky loss of each class to a power, averaged over the classes.

    `(1 - TP / (TP + alpha FP + beta FN)) ** exponent`. An exponent below 1 keeps
    the slope up where a class is segmented well already.

    Args:
        alpha: Weight of false pixels, above 0.
        beta: Weight of missed pixels, above 0.
        exponent: Above 0; the paper's 1 / gamma, with gamma = 4 / 3.
        name: Name of the loss.

    Raises:
        ValueError: When a weight or the exponent is not above 0.

    References:
        N. Abraham, N. M. Khan, "A novel focal Tversky loss function with
        improved attention U-Net for lesion segmentation", ISBI (2019),
        https://doi.org/10.1109/ISBI.2019.8759329
    """

    def __init__(
        self,
        alpha: float = 0.3,
        beta: float = 0.7,
        exponent: float = 0.75,
        name: str = "focal_tversky",
    ) -> None:
        super().__init__(alpha, beta, name)
        if not exponent > 0:
            raise ValueError(f"`exponent` must be above 0. Received: {exponent}.")
        self.exponent = exponent

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        losses = self.class_losses(y_true, y_pred)
        powers = ops.power(ops.maximum(losses, _SMALLEST), self.exponent)
        return ops.mean(ops.where(losses > _SMALLEST, powers, 0.0))
