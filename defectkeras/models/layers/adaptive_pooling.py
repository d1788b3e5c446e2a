"""The mean of a map over a fixed number of squares, whatever its size."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="defectkeras")
class AdaptiveAveragePooling2D(keras.layers.Layer):
    """Average a map over a grid of n x n cells.

    Cell i of an axis of L pixels holds those from floor(i L / n) to ceil((i + 1) L /
    n) - 1, as in PyTorch, so that cells overlap by a pixel where n does not divide L.
    Keras' own layer wants to know the size of the map beforehand.

    Args:
        bins: n, at least 1.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> image = keras.ops.reshape([1.0, 2.0, 6.0], (1, 1, 3, 1))
        >>> AdaptiveAveragePooling2D(2)(image)[0, :, :, 0].numpy()
        array([[1.5, 4. ],
               [1.5, 4. ]], dtype=float32)
    """

    def __init__(self, bins: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if bins < 1:
            raise ValueError(f"`bins` must be at least 1. Received: bins={bins}.")
        self.bins = bins

    def call(self, maps: Any) -> Any:
        """Average (B, H, W, C) to (B, n, n, C)."""
        height, width = tf.unstack(tf.shape(maps)[1:3])
        rows, columns = self._weights(height), self._weights(width)
        return tf.einsum("ih,bhwc,jw->bijc", rows, maps, columns)

    def _weights(self, length: Any) -> Any:
        """Give how much each of L pixels counts in each cell, (n, L)."""
        cells, pixels = tf.range(self.bins)[:, None], tf.range(length)[None]
        starts = cells * length // self.bins
        ends = -(-(cells + 1) * length // self.bins)
        inside = tf.cast((starts <= pixels) & (pixels < ends), "float32")
        weights = inside / tf.cast(ends - starts, "float32")
        return tf.cast(weights, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Give (B, n, n, C)."""
        return input_shape[0], self.bins, self.bins, input_shape[3]

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this layer again."""
        return {**super().get_config(), "bins": self.bins}
