"""Local response normalization, which SegNet-Basic begins with."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="defectkeras")
class LocalResponseNormalization(keras.layers.Layer):
    """Divide each channel by the energy of its neighboring channels.

    y_c = x_c / (1 + alpha / size * sum x_j^2) ** beta, the sum over the channels j
    at most size // 2 away from c, as Caffe computes it across channels.

    Args:
        size: Channels of the sum, odd.
        alpha: Weight of the sum.
        beta: Exponent.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> pixel = ops.reshape(ops.convert_to_tensor([3.0, 4.0]), (1, 1, 1, 2))
        >>> layer = LocalResponseNormalization(3, alpha=3.0, beta=0.5)
        >>> (layer(pixel)[0, 0, 0] * 26**0.5).numpy().round(3)
        array([3., 4.], dtype=float32)

    Reference:
        A. Krizhevsky, I. Sutskever, G. Hinton, NeurIPS 2012, section 3.3.
    """

    def __init__(
        self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"`size` must be odd and positive. Received: {size}.")
        self.size, self.alpha, self.beta = size, alpha, beta

    def call(self, images: Any) -> Any:
        """Normalize (B, H, W, C)."""
        channels, reach = images.shape[-1], self.size // 2
        squares = ops.pad(ops.square(images), [(0, 0)] * 3 + [(reach, reach)])
        energy = sum(squares[..., i : i + channels] for i in range(self.size))
        return images / (1.0 + self.alpha / self.size * energy) ** self.beta

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this layer again."""
        arguments = {"size": self.size, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **arguments}
