"""Joint pyramid upsampling: a map at 1/8 from those at 1/8, 1/16 and 1/32.

H. Wu, J. Zhang, K. Huang, K. Liang, Y. Yu, "FastFCN: rethinking dilated convolution
in the backbone for semantic segmentation" (2019),
https://doi.org/10.48550/arXiv.1903.11816

The encoder keeps its strides, so it is as fast as a classifier; what an atrous
encoder would compute at 1/8 is estimated from its three last maps: each is brought
to 512 channels, all are joined at 1/8, and four separable convolutions with rates of
1, 2, 4 and 8 look at them.
"""

from typing import Any, TypeAlias

import keras

from defectkeras.models.decoder_layers import convolve, convolve_separably
from defectkeras.models.layers import ResizeLike

Tensor: TypeAlias = Any

FILTERS = 512
RATES = (1, 2, 4, 8)


def add_joint_pyramid(
    at_8: Tensor, at_16: Tensor, at_32: Tensor, *, filters: int = FILTERS
) -> Tensor:
    """Join three maps into one at the size of the first.

    In its published form, on 512, 1024 and 2048 channels with 512 filters, it has
    19,735,552 trainable parameters.

    Args:
        at_8: (B, H/8, W/8, *).
        at_16: (B, H/16, W/16, *).
        at_32: (B, H/32, W/32, *).
        filters: Channels of each branch.

    Returns:
        (B, H/8, W/8, 4 filters).
    """
    fine = convolve(at_8, filters, 3, "pyramid_8")
    middle = convolve(at_16, filters, 3, "pyramid_16")
    coarse = convolve(at_32, filters, 3, "pyramid_32")
    joined = [
        ResizeLike(name="pyramid_32_upsample")([coarse, fine]),
        ResizeLike(name="pyramid_16_upsample")([middle, fine]),
        fine,
    ]
    x = keras.layers.Concatenate(name="pyramid_inputs")(joined)
    branches = [
        convolve_separably(
            x, filters, f"pyramid_rate_{rate}", rate=rate, is_activated_between=False
        )
        for rate in RATES
    ]
    return keras.layers.Concatenate(name="pyramid")(branches)
