"""SegNet, whose decoder puts values back where the encoder's maxima were.

V. Badrinarayanan, A. Kendall, R. Cipolla, "SegNet: A Deep Convolutional
Encoder-Decoder Architecture for Image Segmentation", IEEE TPAMI 39 (2017) 2481,
https://doi.org/10.1109/TPAMI.2016.2644615

The encoder is the thirteen convolutions of VGG16, each with a normalization and a
ReLU; the decoder mirrors it. A level of the decoder gives fewer features only in
its last convolution, because unpooling needs as many as were pooled.

Bayesian SegNet (A. Kendall, V. Badrinarayanan, R. Cipolla, BMVC 2017,
https://doi.org/10.5244/C.31.57) has dropout after the pools of the three coarsest
levels of the encoder and after those of the decoder, `bayesian=True`. In an ordinary
prediction it is off; `models.monte_carlo` samples with it.

Where ours differs from the released Caffe models (segnet_train.prototxt and
bayesian_segnet_train.prototxt of alexgkendall/SegNet-Tutorial): height and width are
multiples of 32, where theirs give each unpooling an odd size; any number of input
channels; the averages of the normalizations settle within some tens of steps, where
theirs are computed over the training set after training; no weights of ImageNet.
The paper counts 29.5 million parameters; ours are told below.
"""

from typing import Any, TypeAlias

import keras

from defectkeras.models.layers import (
    MaxPoolingWithIndices,
    MaxUnpooling2D,
    MonteCarloDropout,
)
from defectkeras.models.shapes import InputShape, require_input_shape, require_positive

Tensor: TypeAlias = Any

STRIDE = 32

# An output pixel depends on at most 211 rows to one side, by its place in the
# grid of 32 px (tests/models/test_segnet.py follows the rows through the layers).
RECEPTIVE_FIELD_PX = 2 * 211 + 1

# Level: how many times `filters` it has, and its convolutions
LEVELS = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))

DROPOUT_LEVELS = (3, 4, 5)
DROPOUT_RATE = 0.5
NORM_MOMENTUM = 0.9


def convolve(x: Tensor, filters: int, name: str) -> Tensor:
    """Apply 3x3 convolution, normalization and ReLU: (B, H, W, filters)."""
    x = keras.layers.Conv2D(
        filters, 3, padding="same", kernel_initializer="he_normal", name=name
    )(x)
    x = keras.layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def build_segnet(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    filters: int = 64,
    bayesian: bool = False,
    name: str = "segnet",
) -> keras.Model:
    """Build SegNet.

    With three channels and twelve classes it has 29,449,932 trainable parameters and
    29,465,804 in all, with one channel and two classes 29,443,010 and 29,458,882.

    Args:
        input_shape: (H, W, C) of the normalized image, in pixels; H and W are
            multiples of 32 or None, which is any such size.
        num_classes: Number of output maps K, 1 for a sigmoid.
        filters: Features of the finest level; 64 is the published form.
        bayesian: Whether it has dropout, see the head of this file.
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When a given height or width is no multiple of 32.
        ValueError: When `num_classes` or `filters` is below 1.

    Example:
        >>> build_segnet((32, 64, 1), num_classes=3, filters=2).output_shape
        (None, 32, 64, 3)

    References:
        Badrinarayanan et al., IEEE TPAMI 39 (2017) 2481,
        https://doi.org/10.1109/TPAMI.2016.2644615
    """
    require_input_shape(input_shape, stride=STRIDE)
    require_positive(num_classes=num_classes, filters=filters)

    dropped = DROPOUT_LEVELS if bayesian else ()
    image = x = keras.Input(input_shape, name="image")  # (B, H, W, C)
    places = {}

    # Encoder: level l gives (B, H / 2^l, W / 2^l, factor * filters)
    for level, (factor, convolutions) in enumerate(LEVELS, start=1):
        for i in range(1, convolutions + 1):
            x = convolve(x, factor * filters, f"encoder_{level}_conv_{i}")
        pool = MaxPoolingWithIndices(padding="valid", name=f"encoder_{level}_pool")
        x, places[level] = pool(x)
        if level in dropped:
            x = MonteCarloDropout(DROPOUT_RATE, name=f"encoder_{level}_dropout")(x)

    # Decoder: level l gives (B, H / 2^(l - 1), W / 2^(l - 1), that of level l - 1)
    for level in range(len(LEVELS), 0, -1):
        factor, convolutions = LEVELS[level - 1]
        unpool = MaxUnpooling2D(padding="valid", name=f"decoder_{level}_unpool")
        x = unpool([x, places[level]])
        for i in range(1, convolutions):
            x = convolve(x, factor * filters, f"decoder_{level}_conv_{i}")
        if level > 1:
            finer = LEVELS[level - 2][0] * filters
            x = convolve(x, finer, f"decoder_{level}_conv_{convolutions}")
        if level in dropped:
            x = MonteCarloDropout(DROPOUT_RATE, name=f"decoder_{level}_dropout")(x)

    logits = keras.layers.Conv2D(
        num_classes,
        3,
        padding="same",
        kernel_initializer="he_normal",
        dtype="float32",
        name="logits",
    )
    return keras.Model(image, logits(x), name=name)  # (B, H, W, num_classes)
