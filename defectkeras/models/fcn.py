"""FCN, the fully convolutional form of VGG16.

J. Long, E. Shelhamer, T. Darrell, "Fully Convolutional Networks for Semantic
Segmentation", CVPR (2015), https://doi.org/10.1109/CVPR.2015.7298965

The 13 convolutions of VGG16 and its two dense layers, turned into a 7x7 and a 1x1
convolution, give scores at 1/32 of the image's size. "32s" upsamples them at once;
"16s" first doubles them and adds scores of the fourth pool, "8s" doubles again and
adds those of the third. All upsampling is by transposed convolutions that mix no
channels and begin as bilinear interpolation; they are learned.

Ours differs: every convolution keeps the size ("same") and height and width are
multiples of 32, so that all maps fit; the authors pad the image by 100 pixels and
crop the scores by offsets that belong to that. The scores of the last layer begin at
random instead of at 0, from where nothing below them would learn in the first step;
those of the skips begin at 0 as published. The last upsampling is learned like the
others. `filters` makes small ones. The layers are named as in Keras' VGG16.
"""

from typing import Any, Literal, TypeAlias

import keras

from defectkeras.core.errors import ModelError
from defectkeras.core.names import require_known
from defectkeras.models.layers import DiagonalConv2DTranspose
from defectkeras.models.shapes import InputShape, require_input_shape

Tensor: TypeAlias = Any
Variant = Literal["32s", "16s", "8s"]

STRIDE = 32

# Pools whose scores are added, the deepest first
SKIPS: dict[str, tuple[int, ...]] = {"32s": (), "16s": (4,), "8s": (4, 3)}

# Convolutions of each block of VGG16, and their filters as multiples of the first's
BLOCKS = ((2, 1), (2, 2), (3, 4), (3, 8), (3, 8))


def encode(image: Tensor, filters: int) -> list[Tensor]:
    """Give the five pools of VGG16: (B, H/2, W/2, *) to (B, H/32, W/32, *)."""
    pools = []
    x = image
    for block, (convolutions, multiple) in enumerate(BLOCKS, start=1):
        for number in range(1, convolutions + 1):
            x = convolve(x, multiple * filters, 3, f"block{block}_conv{number}")
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
        pools.append(x)
    return pools


def convolve(x: Tensor, filters: int, size: int, name: str) -> Tensor:
    """Apply a convolution and a ReLU: (B, H, W, *) to (B, H, W, filters)."""
    return keras.layers.Conv2D(
        filters,
        size,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(x)


def build_fcn(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    variant: Variant = "8s",
    filters: int = 64,
    dropout: float = 0.5,
    name: str = "fcn",
) -> keras.Model:
    """Build FCN-32s, FCN-16s or FCN-8s.

    Args:
        input_shape: (H, W, C) of the normalized image, in pixels; H and W are
            multiples of 32 or None, which is any such size.
        num_classes: Number of output maps K: 1 for a sigmoid, K >= 2 for a softmax
            over K classes, the matrix first.
        variant: "32s", "16s" or "8s", the stride at which scores are last added.
        filters: Of the first block; 64 is VGG16 with its 4096 in the dense layers.
        dropout: Rate after each of the two dense layers, in [0, 1).
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When a given height or width is no multiple of 32, or the
            variant is unknown.

    Example:
        >>> build_fcn((64, 96, 1), num_classes=3, filters=4).output_shape
        (None, 64, 96, 3)

    References:
        Long, Shelhamer, Darrell, CVPR (2015),
        https://doi.org/10.1109/CVPR.2015.7298965
    """
    require_input_shape(input_shape, stride=STRIDE)
    require_known(variant, SKIPS, what="variant", error=ModelError)
    image = keras.Input(input_shape, name="image")  # (B, H, W, C)
    pools = encode(image, filters)
    x = pools[-1]  # (B, H/32, W/32, 8 filters)
    for dense, size in (("fc6", 7), ("fc7", 1)):
        x = convolve(x, 64 * filters, size, dense)
        x = keras.layers.Dropout(dropout, name=f"{dense}_dropout")(x)
    scores = keras.layers.Conv2D(num_classes, 1, name="score_fc7")(x)
    stride = STRIDE
    for pool in SKIPS[variant]:
        stride //= 2
        doubled = DiagonalConv2DTranspose(2, name=f"upscore_pool{pool}")(scores)
        skip = keras.layers.Conv2D(
            num_classes, 1, kernel_initializer="zeros", name=f"score_pool{pool}"
        )(pools[pool - 1])
        scores = keras.layers.Add(name=f"fuse_pool{pool}")([doubled, skip])
    logits = DiagonalConv2DTranspose(stride, dtype="float32", name="logits")(scores)
    return keras.Model(image, logits, name=name)  # (B, H, W, num_classes)
