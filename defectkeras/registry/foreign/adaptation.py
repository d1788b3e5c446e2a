"""What becomes of grey levels before the first layer of a network from elsewhere."""

from dataclasses import dataclass
from typing import Any

import keras

from defectkeras.core.errors import ModelError


@dataclass(frozen=True)
class Adaptation:
    """How grey levels in [0, 1] become what a model was trained on.

    Attributes:
        scale: What they are multiplied by first; one number, or one for each channel.
        offset: What is added then.
        skip_layers: Names or classes of layers that are left out.

    Raises:
        ModelError: When the scale makes all grey levels one.
    """

    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)
    skip_layers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the scale."""
        if 0 in self.scale:
            raise ModelError(
                "The scale must be the grey level of white in training, such as 1 or "
                "255. Received: 0."
            )

    def adapt(self, image: Any, channels: int) -> Any:
        """Give what the first layer takes.

        Args:
            image: (B, H, W, 1) in [0, 1].
            channels: How many it takes; all are the grey image.

        Raises:
            ModelError: When there are more numbers than channels, or fewer.
        """
        for name in ("scale", "offset"):
            numbers = getattr(self, name)
            if len(numbers) not in (1, channels):
                raise ModelError(
                    f"The {name} must be one number, or one for each of the {channels} "
                    f"channels. Received: {len(numbers)}."
                )
        if channels != 1:
            image = keras.layers.Concatenate(name="grey_channels")([image] * channels)
        if set(self.scale) == {1} and set(self.offset) == {0}:
            return image
        layer = keras.layers.Rescaling(
            _one_or_all(self.scale), _one_or_all(self.offset), name="scale"
        )
        return layer(image)


def _one_or_all(numbers: tuple[float, ...]) -> float | list[float]:
    return numbers[0] if len(numbers) == 1 else list(numbers)
