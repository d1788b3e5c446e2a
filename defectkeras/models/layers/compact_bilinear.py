"""Compact bilinear pooling: which channels occur together, in few numbers."""

import math
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops

Tensor: TypeAlias = Any


@keras.saving.register_keras_serializable(package="defectkeras")
class CompactBilinearPooling2D(keras.layers.Layer):
    """Sum over all pixels a sketch of the products of each two channels.

    Bilinear pooling describes an image by the sum of x x^T over its pixels, C^2
    numbers. The tensor sketch replaces x x^T by phi(x) with D numbers such that the
    mean of <phi(x), phi(y)> over random hashes is <x, y>^2::

        psi_k(x)[j] = sum of s_k[i] x[i] over the channels i with h_k[i] = j
        phi(x) = irfft(rfft(psi_1(x)) rfft(psi_2(x)))

    h_1 and h_2 are random numbers from 0 to D - 1, s_1 and s_2 random signs; they
    come from the seed and are kept as weights that are not trained. There are no
    trainable weights. It computes in float32 under every policy.

    The transforms are products with matrices of sines and cosines: sketching and
    transforming is then one product, no more work than sketching alone, and other
    engines than TensorFlow can do it.

    Args:
        dimension: D, at least 1; some thousands for some hundred channels.
        seed: Of the hashes.
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> pool = CompactBilinearPooling2D(64, seed=1)
        >>> pool(keras.ops.ones((2, 3, 5, 8))).shape
        TensorShape([2, 64])

    References:
        Y. Gao, O. Beijbom, N. Zhang, T. Darrell, "Compact bilinear pooling", CVPR
        (2016), https://doi.org/10.1109/CVPR.2016.41; N. Pham, R. Pagh, "Fast and
        scalable polynomial kernels via explicit feature maps", KDD (2013),
        https://doi.org/10.1145/2487575.2487591
    """

    def __init__(self, dimension: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        if dimension < 1:
            raise ValueError(
                f"`dimension` must be at least 1. Received: dimension={dimension}."
            )
        self.dimension = dimension
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        """Draw the hashes and the signs, (2, C) each."""
        shape = (2, input_shape[-1])
        rng = np.random.default_rng(self.seed)
        hashes = rng.integers(self.dimension, size=shape)
        signs = rng.choice((-1.0, 1.0), size=shape)
        self.hashes = self._add_constant("hashes", hashes, "int32")
        self.signs = self._add_constant("signs", signs, "float32")

    def _add_constant(self, name: str, values: Any, dtype: str) -> Any:
        weight = self.add_weight(
            values.shape, "zeros", dtype=dtype, trainable=False, name=name
        )
        weight.assign(values)
        return weight

    def call(self, maps: Tensor) -> Tensor:
        """Pool (B, H, W, C) to (B, D)."""
        first, second = (self._transform(maps, k) for k in (0, 1))
        # A sum over pixels of transforms is the transform of the sum
        real = ops.sum(first[0] * second[0] - first[1] * second[1], axis=(1, 2))
        imaginary = ops.sum(first[0] * second[1] + first[1] * second[0], axis=(1, 2))
        cosine, sine = self._waves(ops.arange(self.dimension, dtype="int64"))
        shares = self._shares()
        even = ops.matmul(real * shares, ops.transpose(cosine))
        return even + ops.matmul(imaginary * shares, ops.transpose(sine))

    def _shares(self) -> Any:
        """Give what each frequency counts: twice, where its mirror image is another."""
        frequencies = np.arange(self.dimension // 2 + 1)
        is_own_mirror = 2 * frequencies % self.dimension == 0
        shares = np.where(is_own_mirror, 1.0, 2.0) / self.dimension
        return shares.astype(np.float32)

    def _transform(self, maps: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Give the Fourier transform of psi_k, each part (B, H, W, D // 2 + 1)."""
        signed = maps * self.signs[k]
        cosine, sine = self._waves(ops.cast(self.hashes[k], "int64"))
        return ops.matmul(signed, cosine), ops.matmul(signed, sine)

    def _waves(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Give cosine and sine of each frequency at n places, (n, D // 2 + 1)."""
        frequencies = ops.arange(self.dimension // 2 + 1, dtype="int64")
        turns = ops.mod(places[:, None] * frequencies, self.dimension)
        angles = ops.cast(turns, "float32") * (2.0 * math.pi / self.dimension)
        return ops.cos(angles), ops.sin(angles)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """Give (B, D)."""
        return input_shape[0], self.dimension

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this layer again."""
        own = {"dimension": self.dimension, "seed": self.seed}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="defectkeras")
class DescriptorNormalization(keras.layers.Layer):
    """Take the signed square root of a descriptor and divide it by its norm.

    sign(x) sqrt(|x|), then x / |x|: a few strong pairs of channels do not drown the
    others, and the size of the image does not count. It computes in float32.

    Args:
        **kwargs: Those of every Keras layer, such as `name`.

    Example:
        >>> DescriptorNormalization()(keras.ops.array([[9.0, -16.0]])).numpy()
        array([[ 0.6, -0.8]], dtype=float32)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})

    def call(self, x: Tensor) -> Tensor:
        """Normalize (B, D)."""
        tiny = keras.config.epsilon() ** 2  # keeps the gradient at 0 finite
        root = ops.sign(x) * ops.sqrt(ops.abs(x) + tiny)
        squares = ops.sum(root * root, axis=-1, keepdims=True)
        return root * ops.rsqrt(squares + tiny)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Give the shape of the descriptor."""
        return input_shape
