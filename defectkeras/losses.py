"""What training minimizes, from logits, over the annotated pixels only.

Every loss takes `class_map` (B, H, W) and `logits` (B, H, W, K) and gives one
number, in float32 under every mixed-precision policy. With K = 1 the logits are
those of one defect (sigmoid; the class map holds 0 and 1), with K >= 2 those of K
classes (softmax). Pixels that are `NOT_ANNOTATED` count nowhere; a batch without
an annotated pixel gives 0.

They are ours and not those of Keras, which know no such pixels; the sums
("0.5*ce + 0.5*dice") are parsed by `build_loss`.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import TrainingError
from defectkeras.core.names import require_known

Tensor: TypeAlias = Any


class SegmentationLoss(keras.losses.Loss):
    """A loss over the annotated pixels of a batch, computed in float32.

    Args:
        name: Name of the loss.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, dtype="float32")

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this loss again."""
        return {"name": self.name}


def annotated_pixels(class_map: Tensor) -> Tensor:
    """Give 1.0 where a pixel is annotated and 0.0 elsewhere, (B, H, W)."""
    return ops.cast(ops.not_equal(class_map, NOT_ANNOTATED), "float32")


def one_hot_classes(class_map: Tensor, num_maps: int) -> Tensor:
    """Give (B, H, W, K) with 1.0 in the map of each pixel's class.

    One map holds the defect, several hold the classes with the matrix first. A
    pixel that is not annotated has 0.0 in all of them.
    """
    if num_maps == 1:
        return ops.cast(ops.equal(class_map, 1)[..., None], "float32")
    classes = ops.arange(num_maps, dtype=class_map.dtype)
    return ops.cast(ops.equal(class_map[..., None], classes), "float32")


@keras.saving.register_keras_serializable(package="defectkeras")
class CrossEntropy(SegmentationLoss):
    """Cross-entropy with a weight for each class, averaged over annotated pixels.

    With w the weight of a pixel's true class c and p its probability,
    `mean(-w_c ln p_c)`; for one map of logits this is
    `-mean(w_1 y ln p + w_0 (1 - y) ln(1 - p))`. It is computed from the logits by
    log-softmax and softplus, so that no logit makes it infinite.

    Args:
        class_weights: One weight for each class, the matrix first; two for one
            map of logits. None weighs all classes by 1.
        name: Name of the loss.

    Example:
        >>> class_map = np.array([[[1, 1, 0, NOT_ANNOTATED]]])
        >>> logits = np.zeros((1, 1, 4, 1))
        >>> loss = CrossEntropy(class_weights=(1.0, 8.0))
        >>> round(float(loss(class_map, logits)), 4)  # (8 + 8 + 1) / 3 * ln 2
        3.9278
    """

    def __init__(
        self, class_weights: Sequence[float] | None = None, name: str = "ce"
    ) -> None:
        super().__init__(name)
        self.class_weights = None if class_weights is None else tuple(class_weights)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        num_maps = y_pred.shape[-1]
        if num_maps == 1:
            logits = y_pred[..., 0]
            log_defect, log_matrix = -ops.softplus(-logits), -ops.softplus(logits)
            log_probability = ops.stack([log_matrix, log_defect], axis=-1)
        else:
            log_probability = ops.log_softmax(y_pred, axis=-1)
        weights = self._class_weights(log_probability.shape[-1])
        truth = one_hot_classes(y_true, log_probability.shape[-1])
        total = -ops.sum(truth * weights * log_probability)
        return total / ops.maximum(ops.sum(annotated_pixels(y_true)), 1.0)

    def _class_weights(self, num_classes: int) -> Tensor:
        """Give the weights (K,), checked against the number of classes."""
        weights = self.class_weights or (1.0,) * num_classes
        if len(weights) != num_classes:
            raise ValueError(
                f"`class_weights` must have one weight for each of {num_classes} "
                f"classes, the matrix first. Received: {weights}."
            )
        return ops.convert_to_tensor(weights, dtype="float32")

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this loss again."""
        return {**super().get_config(), "class_weights": self.class_weights}


@keras.saving.register_keras_serializable(package="defectkeras")
class SoftDice(SegmentationLoss):
    """One minus the soft Dice coefficient, averaged over the defect classes.

    With the sums over the annotated pixels of the whole batch, for each class but
    the matrix, `1 - 2 TP / (2 TP + FP + FN)`, where TP = sum(p y),
    FP = sum(p (1 - y)) and FN = sum((1 - p) y). A class that is neither in the
    class maps nor in the prediction gives 0.

    Args:
        name: Name of the loss.

    Example:
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
        num_maps = y_pred.shape[-1]
        first = 0 if num_maps == 1 else 1  # the matrix is no defect
        activate = ops.sigmoid if num_maps == 1 else ops.softmax
        probability = activate(y_pred)[..., first:]
        truth = one_hot_classes(y_true, num_maps)[..., first:]
        probability = probability * annotated_pixels(y_true)[..., None]
        pixels = (0, 1, 2)
        overlap = 2.0 * ops.sum(probability * truth, axis=pixels)
        size = ops.sum(probability + truth, axis=pixels)
        is_empty = ops.equal(size, 0.0)
        dice = overlap / ops.where(is_empty, 1.0, size)
        return ops.mean(ops.where(is_empty, 0.0, 1.0 - dice))


@keras.saving.register_keras_serializable(package="defectkeras")
class LossSum(SegmentationLoss):
    """A sum of losses, each with a factor.

    Args:
        losses: The losses.
        factors: One factor for each.
        name: Name of the loss.
    """

    def __init__(
        self,
        losses: Sequence[keras.losses.Loss],
        factors: Sequence[float],
        name: str = "sum",
    ) -> None:
        super().__init__(name)
        self.losses, self.factors = tuple(losses), tuple(factors)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Give the loss of class maps (B, H, W) and logits (B, H, W, K)."""
        terms = zip(self.factors, self.losses, strict=True)
        return sum(factor * loss.call(y_true, y_pred) for factor, loss in terms)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this loss again."""
        losses = [keras.losses.serialize(loss) for loss in self.losses]
        return {**super().get_config(), "losses": losses, "factors": self.factors}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LossSum":
        """Make the loss again from what `get_config` gave."""
        losses = [keras.losses.deserialize(loss) for loss in config["losses"]]
        return cls(losses, config["factors"], name=config["name"])


LOSSES = {
    "ce": CrossEntropy,
    "dice": lambda class_weights: SoftDice(),
}
"""Name in an expression to a function from the class weights to the loss."""

_TERM = re.compile(r"(?:(?P<factor>[0-9.]+(?:e-?[0-9]+)?)\s*\*\s*)?(?P<name>[a-z_]+)")


def build_loss(
    expression: str,
    *,
    num_classes: int,
    class_weights: Sequence[float] | None = None,
) -> keras.losses.Loss:
    """Build the loss that an expression such as "0.5*ce + 0.5*dice" names.

    Args:
        expression: Terms joined by "+", each the name of a loss ("ce" or "dice")
            or a factor above 0, "*" and the name.
        num_classes: Number of classes K, the matrix among them; 1 for a model
            with one map of logits, which has two classes.
        class_weights: One weight for each class, the matrix first, for "ce";
            None weighs all classes by 1.

    Returns:
        A loss of class maps (B, H, W) and logits (B, H, W, K).

    Raises:
        TrainingError: When the expression cannot be read, a loss is unknown, or
            the number of weights is not the number of classes.

    Example:
        >>> build_loss("0.5*ce + 0.5*dice", num_classes=4).factors
        (0.5, 0.5)
        >>> build_loss("cee", num_classes=4)
        Traceback (most recent call last):
        defectkeras.core.errors.TrainingError: Unknown loss 'cee'. Did you mean 'ce'?
    """
    expected = max(num_classes, 2)
    if class_weights is not None and len(class_weights) != expected:
        raise TrainingError(
            f"There must be {expected} class weights, the matrix first. Received: "
            f"{tuple(class_weights)}."
        )
    terms = [_read_term(term.strip(), expression) for term in expression.split("+")]
    losses = [LOSSES[name](class_weights) for _, name in terms]
    factors = [factor for factor, _ in terms]
    return losses[0] if factors == [1.0] else LossSum(losses, factors)


def _read_term(term: str, expression: str) -> tuple[float, str]:
    """Give the factor and the name of the loss of one term."""
    match = _TERM.fullmatch(term)
    try:
        factor = float(match["factor"] or 1.0) if match else 0.0
    except ValueError:
        factor = 0.0
    if match is None or factor == 0.0:
        raise TrainingError(
            "A loss must be a sum of terms such as 'ce' or '0.5*dice', with factors "
            f"above 0. Received: {expression!r}."
        )
    return factor, require_known(
        match["name"], LOSSES, what="loss", error=TrainingError
    )


def median_frequency_weights(counts: NDArray[np.integer[Any]]) -> tuple[float, ...]:
    """Give class weights that balance rare classes against frequent ones.

    `w_c = median(f) / f_c`, where f_c is the number of pixels of class c divided
    by the number of annotated pixels of the images in which c occurs, and the
    median is over the classes that occur. A class that never occurs weighs 0.

    Args:
        counts: (N, K) annotated pixels of each of K classes in N images, or (K,)
            for all images taken as one.

    Returns:
        K weights, the matrix first.

    Raises:
        ValueError: When no pixel is counted.

    Example:
        >>> median_frequency_weights(np.array([[90, 6, 4], [100, 0, 0]]))
        (0.063..., 1.0, 1.5)

    References:
        D. Eigen, R. Fergus, "Predicting depth, surface normals and semantic
        labels with a common multi-scale convolutional architecture", ICCV
        (2015), https://doi.org/10.1109/ICCV.2015.304
    """
    pixels = np.atleast_2d(np.asarray(counts, dtype=np.int64))
    if pixels.sum() == 0:
        raise ValueError("`counts` must count at least one pixel. Received: none.")
    where_present = pixels.sum(axis=1, keepdims=True) * (pixels > 0)
    frequency = pixels.sum(axis=0) / np.maximum(where_present.sum(axis=0), 1)
    present = frequency > 0
    weights = np.zeros(frequency.shape)
    weights[present] = np.median(frequency[present]) / frequency[present]
    return tuple(float(weight) for weight in weights)
