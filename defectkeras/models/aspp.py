"""Atrous spatial pyramid pooling: the same map seen at several scales at once.

L.-C. Chen, G. Papandreou, F. Schroff, H. Adam, "Rethinking atrous convolution for
semantic image segmentation" (2017), https://doi.org/10.48550/arXiv.1706.05587

Five branches of 256 channels: a 1x1 convolution, three 3x3 convolutions whose nine
pixels lie `rate` apart, and the mean of the whole map ("image pooling"); all joined
by a 1x1 convolution. The rates are (6, 12, 18) at an output stride of 16 and twice
that at 8.
"""

import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import keras

from defectkeras.core.errors import ModelError
from defectkeras.models.decoder_layers import convolve, convolve_separably
from defectkeras.models.layers import ResizeLike
from defectkeras.models.shapes import InputShape

Tensor: TypeAlias = Any

FILTERS = 256
DROPOUT = 0.1

RATES = {8: (12, 24, 36), 16: (6, 12, 18)}
"""Output stride to the published rates."""


def add_aspp(
    x: Tensor,
    rates: Sequence[int],
    *,
    image_pooling: bool = True,
    separable: bool = False,
    filters: int = FILTERS,
) -> Tensor:
    """Look at a map at several scales.

    On 2048 channels it has 15,535,104 trainable parameters, or 3,019,776 separably.

    Args:
        x: (B, H, W, C).
        rates: Distances of the pixels in the 3x3 convolutions, in pixels of the map.
        image_pooling: Whether the mean of the whole map is a branch. It makes each
            pixel depend on all of the image, and so on how it was cut into tiles.
        separable: Whether the 3x3 convolutions are depthwise with a 1x1 after them.
        filters: Channels of each branch and of the result.

    Returns:
        (B, H, W, filters).
    """
    branches = [convolve(x, filters, 1, "aspp_1x1")]
    for rate in rates:
        name = f"aspp_rate_{rate}"
        if separable:
            branches.append(convolve_separably(x, filters, name, rate=rate))
        else:
            branches.append(convolve(x, filters, 3, name, rate=rate))
    if image_pooling:
        pooled = keras.layers.GlobalAveragePooling2D(
            keepdims=True, name="aspp_image_pool"
        )(x)
        pooled = convolve(pooled, filters, 1, "aspp_image")
        branches.append(ResizeLike(name="aspp_image_spread")([pooled, x]))
    x = keras.layers.Concatenate(name="aspp_branches")(branches)
    x = convolve(x, filters, 1, "aspp_project")
    return keras.layers.Dropout(DROPOUT, name="aspp_dropout")(x)


def choose_rates(
    rates: Sequence[int] | None, output_stride: int, input_shape: InputShape
) -> tuple[int, ...]:
    """Give the rates that were asked for, or the published ones.

    Args:
        rates: Each at least 1 and named once; None takes those of `RATES`.
        output_stride: 8 or 16.
        input_shape: (H, W, C) of the image; where H and W are given, a warning
            tells of rates that reach beyond the map.

    Raises:
        ModelError: When the output stride is another, or a rate is not as it must be.
    """
    if output_stride not in RATES:
        raise ModelError(f"`output_stride` must be 8 or 16. Received: {output_stride}.")
    chosen = tuple(RATES[output_stride] if rates is None else rates)
    if not chosen or min(chosen) < 1 or len(set(chosen)) < len(chosen):
        raise ModelError(
            f"`rates` must be different numbers from 1 on. Received: {chosen}."
        )
    sides = [side // output_stride for side in input_shape[:2] if side is not None]
    too_large = [rate for rate in chosen if sides and rate >= min(sides)]
    if too_large:
        warnings.warn(
            f"The rates {too_large} reach beyond the map of {min(sides)} px that an "
            f"image of {min(s for s in input_shape[:2] if s)} px gives at an output "
            f"stride of {output_stride}: such a 3x3 convolution is a 1x1 convolution. "
            "Take smaller `rates` or larger images.",
            stacklevel=3,
        )
    return chosen
