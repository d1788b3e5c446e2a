"""SegNet-Basic, the small SegNet: four levels of one 7x7 convolution each.

V. Badrinarayanan, A. Kendall, R. Cipolla, "SegNet: A Deep Convolutional
Encoder-Decoder Architecture for Image Segmentation", IEEE TPAMI 39 (2017) 2481,
https://doi.org/10.1109/TPAMI.2016.2644615

The image goes through a local response normalization, which matters for grey levels
of 0 to 255 and is next to nothing for normalized images in [0, 1]. The decoder has no
ReLU. As in the released Caffe models (segnet_basic_train.prototxt and
bayesian_segnet_basic_train.prototxt of alexgkendall/SegNet-Tutorial), with
`bayesian=True` dropout follows the two coarsest levels of the encoder and of the
decoder.

Ours differs as SegNet's does (`segnet.py`): multiples of 16, any number of channels,
and averages of the normalizations that follow the training.
"""

import keras

from defectkeras.models.layers import (
    LocalResponseNormalization,
    MaxPoolingWithIndices,
    MaxUnpooling2D,
    MonteCarloDropout,
)
from defectkeras.models.segnet import DROPOUT_RATE, NORM_MOMENTUM, Tensor
from defectkeras.models.shapes import InputShape, require_input_shape, require_positive

STRIDE = 16

# An output pixel depends on at most 105 rows to one side, by its place in the grid
# of 16 px (tests/models/test_segnet_basic.py follows the rows through the layers).
RECEPTIVE_FIELD_PX = 2 * 105 + 1

LEVELS = 4
DROPOUT_LEVELS = (3, 4)


def convolve(x: Tensor, filters: int, name: str) -> Tensor:
    """Apply 7x7 convolution and normalization: (B, H, W, filters)."""
    x = keras.layers.Conv2D(
        filters, 7, padding="same", kernel_initializer="he_normal", name=name
    )(x)
    return keras.layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"{name}_norm")(
        x
    )


def build_segnet_basic(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    filters: int = 64,
    bayesian: bool = False,
    name: str = "segnet_basic",
) -> keras.Model:
    """Build SegNet-Basic.

    With three channels and eleven classes it has 1,416,587 trainable parameters and
    1,417,611 in all.

    Args:
        input_shape: (H, W, C) of the normalized image, in pixels; H and W are
            multiples of 16 or None, which is any such size.
        num_classes: Number of output maps K, 1 for a sigmoid.
        filters: Features of every level; 64 is the published form.
        bayesian: Whether it has dropout, see the head of this file.
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When a given height or width is no multiple of 16.
        ValueError: When `num_classes` or `filters` is below 1.

    Example:
        >>> build_segnet_basic((16, 48, 2), num_classes=1, filters=4).output_shape
        (None, 16, 48, 1)

    References:
        Badrinarayanan et al., IEEE TPAMI 39 (2017) 2481,
        https://doi.org/10.1109/TPAMI.2016.2644615
    """
    require_input_shape(input_shape, stride=STRIDE)
    require_positive(num_classes=num_classes, filters=filters)

    dropped = DROPOUT_LEVELS if bayesian else ()
    image = keras.Input(input_shape, name="image")  # (B, H, W, C)
    x = LocalResponseNormalization(name="response_norm")(image)
    places = {}

    for level in range(1, LEVELS + 1):  # to (B, H / 2^level, W / 2^level, filters)
        x = convolve(x, filters, f"encoder_{level}_conv")
        x = keras.layers.ReLU(name=f"encoder_{level}_relu")(x)
        pool = MaxPoolingWithIndices(padding="valid", name=f"encoder_{level}_pool")
        x, places[level] = pool(x)
        if level in dropped:
            x = MonteCarloDropout(DROPOUT_RATE, name=f"encoder_{level}_dropout")(x)

    for level in range(LEVELS, 0, -1):  # back to (B, H, W, filters)
        unpool = MaxUnpooling2D(padding="valid", name=f"decoder_{level}_unpool")
        x = convolve(unpool([x, places[level]]), filters, f"decoder_{level}_conv")
        if level in dropped:
            x = MonteCarloDropout(DROPOUT_RATE, name=f"decoder_{level}_dropout")(x)

    logits = keras.layers.Conv2D(
        num_classes, 1, kernel_initializer="he_normal", dtype="float32", name="logits"
    )
    return keras.Model(image, logits(x), name=name)  # (B, H, W, num_classes)
