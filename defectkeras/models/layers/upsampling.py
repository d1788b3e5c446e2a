"""Upsampling without weights: bed of nails, bilinear, depth to space.

Nearest neighbor is `keras.layers.UpSampling2D`. Its bilinear form cannot be
exported with free image size (Keras 3.14 and 3.15), so there is one here. All take
(B, H, W, C) of any size, compute in the layer's dtype and compile under XLA.
"""

from typing import Any, TypeAlias

import keras
import tensorflow as tf

Tensor: TypeAlias = Any
Shape: TypeAlias = tuple[int | None, ...]


class UpsamplingLayer(keras.layers.Layer):
    """A layer that makes height and width larger by a whole factor.

    Args:
        factor: Rows and columns of the output for each of the input, at least 1.
        **kwargs: Those of every Keras layer, such as `name`.

    Raises:
        ValueError: When the factor is below 1.
    """

    def __init__(self, factor: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if factor < 1:
            raise ValueError(f"`factor` must be at least 1. Received: factor={factor}.")
        self.factor = factor

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give (B, factor H, factor W, C); a side that is None stays None."""
        batch, *sides, channels = input_shape
        height, width = (None if side is None else self.factor * side for side in sides)
        return batch, height, width, channels

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this layer again."""
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="defectkeras")
class BedOfNails2D(UpsamplingLayer):
    """Put each value into the top left pixel of its square, and zeros elsewhere.

    It is the transposed convolution whose kernel is 1 in its first place and 0
    elsewhere. What follows must fill the gaps, or a grid stays.

    Args:
        factor: Side of the square in pixels, at least 1.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> image = keras.ops.reshape([3.0, 4.0], (1, 1, 2, 1))
        >>> BedOfNails2D()(image)[0, :, :, 0].numpy()
        array([[3., 0., 4., 0.],
               [0., 0., 0., 0.]], dtype=float32)
    """

    def call(self, images: Tensor) -> Tensor:
        """Turn (B, H, W, C) into (B, factor H, factor W, C)."""
        zeros = (self.factor**2 - 1) * images.shape[-1]
        padded = tf.pad(images, ((0, 0), (0, 0), (0, 0), (0, zeros)))
        return depth_to_space(padded, self.factor)


@keras.saving.register_keras_serializable(package="defectkeras")
class BilinearUpsampling2D(UpsamplingLayer):
    """Interpolate linearly between pixel centers; the border pixels go on outside.

    The centers are those of pixels that tile the same area (half-pixel centers, as
    `tf.image.resize` has them), not corners that are held fixed.

    Args:
        factor: Rows and columns of the output for each of the input, at least 1.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> image = keras.ops.reshape([1.0, 2.0], (1, 1, 2, 1))
        >>> BilinearUpsampling2D()(image)[0, 0, :, 0].numpy()
        array([1.  , 1.25, 1.75, 2.  ], dtype=float32)
    """

    def call(self, images: Tensor) -> Tensor:
        """Turn (B, H, W, C) into (B, factor H, factor W, C)."""
        return resize_bilinear(images, self.factor * tf.shape(images)[1:3])


@keras.saving.register_keras_serializable(package="defectkeras")
class DepthToSpace2D(UpsamplingLayer):
    """Spread the channels of a pixel over the square of pixels that it becomes.

    The channels are ordered (row, column, channel of the output). With the
    convolution before it this is the sub-pixel convolution; see
    `ICNR` for how its kernel begins.

    Args:
        factor: Side of the square in pixels, at least 1.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> image = keras.ops.reshape([1.0, 2.0, 3.0, 4.0], (1, 1, 1, 4))
        >>> DepthToSpace2D()(image)[0, :, :, 0].numpy()
        array([[1., 2.],
               [3., 4.]], dtype=float32)

    References:
        W. Shi et al., "Real-time single image and video super-resolution using an
        efficient sub-pixel convolutional neural network", CVPR (2016),
        https://doi.org/10.1109/CVPR.2016.207
    """

    def call(self, images: Tensor) -> Tensor:
        """Turn (B, H, W, factor^2 C) into (B, factor H, factor W, C)."""
        return depth_to_space(images, self.factor)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give (B, factor H, factor W, C / factor^2)."""
        *rest, channels = super().compute_output_shape(input_shape)
        if channels is None or channels % self.factor**2:
            raise ValueError(
                f"The number of channels must be a multiple of {self.factor**2}. "
                f"Received: {channels}."
            )
        return *rest, channels // self.factor**2


@keras.saving.register_keras_serializable(package="defectkeras")
class ResizeLike(keras.layers.Layer):
    """Resize a map bilinearly to the height and the width of another.

    Example:
        >>> x, like = keras.ops.ones((1, 2, 3, 8)), keras.ops.ones((1, 5, 7, 4))
        >>> ResizeLike()([x, like]).shape
        TensorShape([1, 5, 7, 8])
    """

    def call(self, inputs: list[Tensor]) -> Tensor:
        """Turn [(B, H, W, C), (B, H', W', *)] into (B, H', W', C)."""
        images, like = inputs
        return resize_bilinear(images, tf.shape(like)[1:3])

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        """Give (B, H', W', C)."""
        images, like = input_shape
        return images[0], like[1], like[2], images[3]


def resize_bilinear(images: Tensor, size: Tensor) -> Tensor:
    """Resize (B, H, W, C) to `size` (2,), with half-pixel centers.

    The dtype stays; TensorFlow's own function gives float32.
    """
    return tf.cast(tf.image.resize(images, size, method="bilinear"), images.dtype)


def depth_to_space(images: Tensor, factor: int) -> Tensor:
    """Turn (B, H, W, factor^2 C) into (B, factor H, factor W, C)."""
    return images if factor == 1 else tf.nn.depth_to_space(images, factor)
