"""Maximum pooling at every pixel, for encoders whose strides were removed."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="defectkeras")
class AtrousMaxPooling2D(keras.layers.Layer):
    """Compute at every pixel what a pool of stride 2 computes at every second.

    The pool that it replaces has "same" padding and even height and width, so its
    window begins `pool_size // 2 - 1` pixels before the pixel. Every second row and
    column of the result, for a rate of 1, is that pool's.

    Args:
        pool_size: Side of the window in pixels, at least 2.
        rate: Distance of the pixels in a window, at least 1.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> image = keras.ops.reshape([1.0, 5.0, 2.0, 4.0], (1, 1, 4, 1))
        >>> AtrousMaxPooling2D(3)(image)[0, 0, :, 0].numpy()
        array([5., 5., 4., 4.], dtype=float32)
    """

    def __init__(self, pool_size: int, rate: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if pool_size < 2 or rate < 1:
            raise ValueError(
                "`pool_size` must be at least 2 and `rate` at least 1. Received: "
                f"pool_size={pool_size}, rate={rate}."
            )
        self.pool_size = pool_size
        self.rate = rate

    def call(self, images: Any) -> Any:
        """Pool (B, H, W, C) to (B, H, W, C), the rows first, then the columns."""
        before = (self.pool_size // 2 - 1) * self.rate
        sides = (before, (self.pool_size - 1) * self.rate - before)
        lowest = -float("inf")
        x = keras.ops.pad(
            images, ((0, 0), sides, sides, (0, 0)), constant_values=lowest
        )
        starts = [i * self.rate for i in range(self.pool_size)]
        ends = [-i or None for i in reversed(starts)]
        windows = [slice(s, e) for s, e in zip(starts, ends, strict=True)]
        x = keras.ops.max(keras.ops.stack([x[:, w] for w in windows]), axis=0)
        return keras.ops.max(keras.ops.stack([x[:, :, w] for w in windows]), axis=0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Give the shape of the images."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this layer again."""
        return {**super().get_config(), "pool_size": self.pool_size, "rate": self.rate}
