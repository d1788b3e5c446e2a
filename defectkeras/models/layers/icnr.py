"""How the kernel of a sub-pixel convolution begins."""

from typing import Any, TypeAlias

import keras

Tensor: TypeAlias = Any


@keras.saving.register_keras_serializable(package="defectkeras")
class ICNR(keras.initializers.Initializer):
    """Begin a sub-pixel convolution as a convolution and nearest neighbors.

    The factor^2 pixels that grow out of one get equal kernels, so that no
    checkerboard is there before training. `DepthToSpace2D` orders channels as (row,
    column, channel of the output); therefore the kernel of the outputs is tiled. (In
    the order of PyTorch's PixelShuffle it would be repeated.)

    Args:
        initializer: Of the kernel that is tiled, in any form that Keras takes.
        factor: By which height and width grow, at least 1.

    Raises:
        ValueError: When called for a number of channels that is no multiple of
            factor^2.

    Example:
        >>> kernel = ICNR("glorot_uniform")((3, 3, 5, 8)).numpy()
        >>> bool((kernel[..., :2] == kernel[..., 6:]).all())
        True

    References:
        A. Aitken et al., "Checkerboard artifact free sub-pixel convolution" (2017),
        https://doi.org/10.48550/arXiv.1707.02937
    """

    def __init__(self, initializer: Any = "glorot_uniform", factor: int = 2) -> None:
        self.initializer = keras.initializers.get(initializer)
        self.factor = factor

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Give a kernel (rows, columns, channels in, factor^2 channels out)."""
        *rest, channels = shape
        if channels % self.factor**2:
            raise ValueError(
                f"The number of channels must be a multiple of {self.factor**2}. "
                f"Received: {channels}."
            )
        kernel = self.initializer((*rest, channels // self.factor**2), dtype=dtype)
        return keras.ops.tile(kernel, (1,) * len(rest) + (self.factor**2,))

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this initializer again."""
        initializer = keras.initializers.serialize(self.initializer)
        return {"initializer": initializer, "factor": self.factor}
