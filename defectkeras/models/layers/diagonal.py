"""Learnable upsampling of each channel alone, as FCN has it."""

from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from defectkeras.models.layers.upsampling import UpsamplingLayer

Tensor: TypeAlias = Any


@keras.saving.register_keras_serializable(package="defectkeras")
class DiagonalConv2DTranspose(UpsamplingLayer):
    """Upsample each channel with its own kernel, bilinear before training.

    A transposed convolution whose kernel mixes no channels ("diagonal"), without
    bias. Beyond the border there are zeros, so that pixels near it lose mass; inside
    it begins as bilinear interpolation.

    Args:
        factor: By which height and width grow, at least 1.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> image = keras.ops.reshape([1.0, 2.0, 3.0], (1, 1, 3, 1))
        >>> image = keras.ops.repeat(image, 3, axis=1)
        >>> DiagonalConv2DTranspose()(image)[0, 2, :, 0].numpy()
        array([0.75, 1.25, 1.75, 2.25, 2.75, 2.25], dtype=float32)

    References:
        J. Long, E. Shelhamer, T. Darrell, "Fully convolutional networks for
        semantic segmentation", CVPR (2015),
        https://doi.org/10.1109/CVPR.2015.7298965
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the kernel (N, N, C) with N = 2 factor - factor mod 2."""
        rows = bilinear_kernel(self.factor)
        kernel = np.repeat(rows[:, :, None], int(input_shape[-1] or 0), axis=-1)
        self.kernel = self.add_weight(
            shape=kernel.shape,
            initializer=lambda shape, dtype: keras.ops.convert_to_tensor(kernel, dtype),
            name="kernel",
        )

    def call(self, images: Tensor) -> Tensor:
        """Turn (B, H, W, C) into (B, factor H, factor W, C)."""
        channels = images.shape[-1]
        kernel = keras.ops.cast(self.kernel, images.dtype)
        identity = keras.ops.convert_to_tensor(np.eye(channels), images.dtype)
        diagonal = kernel[..., None] * identity
        batch, height, width, _ = tf.unstack(tf.shape(images))
        size = (batch, self.factor * height, self.factor * width, channels)
        return tf.nn.conv2d_transpose(images, diagonal, size, self.factor)


def bilinear_kernel(factor: int) -> NDArray[np.float32]:
    """Give the kernel of a transposed convolution that interpolates bilinearly.

    With N = 2 factor - factor mod 2, f = (N + 1) // 2 and the center c = f - 1 for
    odd N and f - 0.5 for even N, it is the outer product of w(i) = 1 - |i - c| / f.

    Args:
        factor: By which height and width grow, at least 1.

    Returns:
        (N, N) float32.

    Example:
        >>> bilinear_kernel(2)[1]
        array([0.1875, 0.5625, 0.5625, 0.1875], dtype=float32)
    """
    size = 2 * factor - factor % 2
    half = (size + 1) // 2
    center = half - 1 if size % 2 else half - 0.5
    weights = 1 - np.abs(np.arange(size) - center) / half
    return np.outer(weights, weights).astype(np.float32)
