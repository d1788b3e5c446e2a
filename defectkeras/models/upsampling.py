"""The ways by which a decoder doubles height and width, by name.

For "max_unpooling" the encoder must keep where its maxima were: `halve` does.

What has no weights of its own and keeps the number of channels gets a 1x1
convolution where that number must change. It stands before the upsampling, where
there are four times fewer pixels; for nearest neighbor and bilinear interpolation
this is the same function as after it. The decoder's own 3x3 convolutions follow.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras

from defectkeras.core.errors import ModelError
from defectkeras.core.names import require_known
from defectkeras.models.layers import (
    ICNR,
    BedOfNails2D,
    BilinearUpsampling2D,
    DepthToSpace2D,
    MaxPoolingWithIndices,
    MaxUnpooling2D,
)

Tensor: TypeAlias = Any
Upsampler: TypeAlias = Callable[[Tensor, int, str, Tensor | None], Tensor]


def upsample(
    x: Tensor,
    method: str,
    *,
    filters: int,
    name: str,
    indices: Tensor | None = None,
) -> Tensor:
    """Double the height and the width of a map.

    Args:
        x: (B, H, W, C).
        method: A name of `UPSAMPLING_METHODS`.
        filters: Number of channels of the result.
        name: Of the layer that doubles; its helpers get a suffix.
        indices: (B, H, W, C'), what `halve` gave where the encoder halved the map
            of the result's size; only "max_unpooling" reads them.

    Returns:
        (B, 2H, 2W, filters), without normalization or activation.

    Raises:
        ModelError: When the method is unknown.
        ValueError: When "max_unpooling" gets no indices.

    Example:
        >>> x = keras.Input((6, 8, 32))
        >>> upsample(x, "bilinear", filters=16, name="up").shape
        (None, 12, 16, 16)
    """
    require_known(method, UPSAMPLING_METHODS, what="upsampling", error=ModelError)
    return UPSAMPLING_METHODS[method](x, filters, name, indices)


def halve(x: Tensor, method: str, *, name: str) -> tuple[Tensor, Tensor | None]:
    """Halve the height and the width of a map by the maximum of 2x2 pixels.

    Args:
        x: (B, 2H, 2W, C).
        method: How the decoder will upsample, a name of `UPSAMPLING_METHODS`.
        name: Of the layer.

    Returns:
        (B, H, W, C), and where the maxima were or, unless the method is
        "max_unpooling", None.
    """
    if method == "max_unpooling":
        maxima, indices = MaxPoolingWithIndices((2, 2), name=name)(x)
        return maxima, indices
    return keras.layers.MaxPooling2D(2, name=name)(x), None


def project(x: Tensor, filters: int, name: str) -> Tensor:
    """Bring (B, H, W, *) to (B, H, W, filters) by a 1x1 convolution, if needed."""
    if x.shape[-1] == filters:
        return x
    return keras.layers.Conv2D(filters, 1, name=name)(x)


def _bed_of_nails(x: Tensor, filters: int, name: str, _: Tensor | None) -> Tensor:
    """Put each value into one pixel of four; the next convolution fills the gaps."""
    return BedOfNails2D(name=name)(project(x, filters, f"{name}_project"))


def _nearest(x: Tensor, filters: int, name: str, _: Tensor | None) -> Tensor:
    """Repeat each pixel."""
    projected = project(x, filters, f"{name}_project")
    return keras.layers.UpSampling2D(2, name=name)(projected)


def _bilinear(x: Tensor, filters: int, name: str, _: Tensor | None) -> Tensor:
    """Interpolate between pixel centers."""
    return BilinearUpsampling2D(name=name)(project(x, filters, f"{name}_project"))


def _max_unpooling(
    x: Tensor, filters: int, name: str, indices: Tensor | None
) -> Tensor:
    """Put each value where the encoder's maximum was; there are as many channels."""
    if indices is None:
        raise ValueError('"max_unpooling" must get `indices`. Received: None.')
    values = project(x, indices.shape[-1], f"{name}_project")
    unpooled = MaxUnpooling2D((2, 2), name=name)([values, indices])
    return project(unpooled, filters, f"{name}_project_unpooled")


def _transposed(x: Tensor, filters: int, name: str, _: Tensor | None) -> Tensor:
    """Learn a kernel of 2x2 pixels for each pixel; they do not overlap."""
    return keras.layers.Conv2DTranspose(filters, 2, strides=2, name=name)(x)


def _subpixel(x: Tensor, filters: int, name: str, _: Tensor | None) -> Tensor:
    """Learn the four pixels from 3x3 pixels of the small map."""
    kernel = ICNR("glorot_uniform")
    spread = keras.layers.Conv2D(
        4 * filters,
        3,
        padding="same",
        kernel_initializer=kernel,
        name=f"{name}_conv",
    )(x)
    return DepthToSpace2D(name=name)(spread)


UPSAMPLING_METHODS: dict[str, Upsampler] = {
    "bed_of_nails": _bed_of_nails,
    "nearest": _nearest,
    "bilinear": _bilinear,
    "max_unpooling": _max_unpooling,
    "transposed": _transposed,
    "subpixel": _subpixel,
}
"""Name to a function of a map, filters, name and pooling indices."""
