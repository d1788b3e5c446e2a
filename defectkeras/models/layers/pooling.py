"""Pooling at every pixel, for networks that were made for single windows."""

from typing import Any, TypeAlias

import keras

Tensor: TypeAlias = Any
Shape: TypeAlias = tuple[int | None, ...]


@keras.saving.register_keras_serializable(package="defectkeras")
class DilatedMaxPooling2D(keras.layers.Layer):
    """Take the maximum of 2x2 pixels that lie some pixels apart, at every pixel.

    Args:
        dilation: Distance of the pixels in rows and columns, at least 1.
        **kwargs: Those of every Keras layer, such as `name`.

    Raises:
        ValueError: When the dilation is below 1.

    Example:
        >>> image = keras.ops.reshape(keras.ops.arange(8.0), (1, 2, 4, 1))
        >>> DilatedMaxPooling2D()(image)[0, :, :, 0].numpy()
        array([[5., 6., 7.]], dtype=float32)
    """

    def __init__(self, dilation: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if dilation < 1:
            raise ValueError(
                f"`dilation` must be at least 1. Received: dilation={dilation}."
            )
        self.dilation = dilation

    def call(self, images: Tensor) -> Tensor:
        """Turn (B, H, W, C) into (B, H - dilation, W - dilation, C)."""
        d = self.dilation
        rows = keras.ops.maximum(images[:, :-d], images[:, d:])
        return keras.ops.maximum(rows[:, :, :-d], rows[:, :, d:])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape, each known side smaller by the dilation."""
        batch, *sides, channels = input_shape
        height, width = (s if s is None else s - self.dilation for s in sides)
        return batch, height, width, channels

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this layer again."""
        return {**super().get_config(), "dilation": self.dilation}
