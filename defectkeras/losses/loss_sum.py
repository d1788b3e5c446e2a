"""A sum of losses, each with a factor."""

from collections.abc import Sequence
from typing import Any

import keras

from defectkeras.losses.segmentation_loss import SegmentationLoss, Tensor


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
