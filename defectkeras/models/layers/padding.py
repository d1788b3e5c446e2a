"""Padding of images before a convolution."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="defectkeras")
class SymmetricPadding2D(keras.layers.Layer):
    """Pad an image by its mirror image, the border pixels repeated.

    One row of the column (1, 2, 3) padded by one becomes (1, 1, 2, 3, 3), the
    mode that NumPy and TensorFlow call "symmetric". Unlike padding by zeros it
    puts no dark frame around the image.

    Args:
        padding: Pixels added on each of the four sides, at least 1 and at most
            the height and the width of the image.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> image = keras.ops.reshape(keras.ops.arange(6.0), (1, 2, 3, 1))
        >>> SymmetricPadding2D(1)(image)[0, :, :, 0].numpy()
        array([[0., 0., 1., 2., 2.],
               [0., 0., 1., 2., 2.],
               [3., 3., 4., 5., 5.],
               [3., 3., 4., 5., 5.]], dtype=float32)
    """

    def __init__(self, padding: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if padding < 1:
            raise ValueError(
                f"`padding` must be at least 1. Received: padding={padding}."
            )
        self.padding = padding

    def call(self, images: Any) -> Any:
        """Pad (B, H, W, C) to (B, H + 2 padding, W + 2 padding, C)."""
        sides = (self.padding, self.padding)
        return keras.ops.pad(images, ((0, 0), sides, sides, (0, 0)), mode="symmetric")

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Give the shape of the padded images."""
        batch, height, width, channels = input_shape
        grown = 2 * self.padding
        return (
            batch,
            None if height is None else height + grown,
            None if width is None else width + grown,
            channels,
        )

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this layer again."""
        return {**super().get_config(), "padding": self.padding}
