"""DefectSegNet, the dense encoder-decoder for defects in steels.

G. Roberts, S. Y. Haile, R. Sainju, D. J. Edwards, B. Hutchinson, Y. Zhu, "Deep
Learning for Semantic Segmentation of Defects in Advanced STEM Images of Steels",
Scientific Reports 9, 12744 (2019), https://doi.org/10.1038/s41598-019-49105-0

Within a block every layer reads all earlier tensors of the block, and each block
of the decoder reads all tensors of the encoder of the same resolution. Every
layer, the pools and the output among them, has its own batch normalization.
The layers below are numbered as in the table that the authors released
(`architecture.txt`); `t0` is the image and `t1` to `t20` are what they give.

Two variants have the same table and the same 350,430 trainable parameters but
compute different functions, because the paper's description and the TensorFlow
graphs that its authors released differ:

- "paper": zero padding ("same"), convolution -> normalization -> ReLU, also
  after pools and transposed convolutions; the logits are the normalization of
  the last convolution, and the sigmoid stands outside. The description leaves
  the place of the normalization open; before the ReLU is the usual reading.
- "released": mirror padding, ReLU -> normalization, pools and transposed
  convolutions without ReLU; the logits are the normalization of the *sigmoid*
  of the last convolution, which is what the released graphs hand to their loss.

Ours differs from both: more than one output map (one per class, for a softmax)
and any number of input channels; the graphs' unused dropout and weight decay are
left out. `upsampling` replaces the published transposed convolutions, and nothing
else, by another way to double a map. Max unpooling puts values where the maxima of
the pool at the same resolution were, so it needs as many channels as that pool has
(C + 104, C + 40, C + 8): 1x1 convolutions bring them there, and then to the 32, 16
and 8 of the table. docs/models.md has the table and the differences in full.
"""

from functools import partial
from typing import Any, Literal, TypeAlias

import keras

from defectkeras.core.errors import ModelError
from defectkeras.core.names import require_known
from defectkeras.models.layers import SymmetricPadding2D
from defectkeras.models.shapes import InputShape, require_input_shape
from defectkeras.models.upsampling import halve, upsample

Tensor: TypeAlias = Any
Variant = Literal["paper", "released"]

STRIDE = 8

# An output pixel sees 92 or 100 rows of input, by its place in the grid of 8 px,
# and at most 51 to one side: the square around it that always holds them has
RECEPTIVE_FIELD_PX = 2 * 51 + 1

# Steps of training over which the averages for inference settle: about 10 and 1000.
# The released graphs have the second; a run of a few hundred steps needs the first,
# for through 20 normalizations the averages lag the weights (docs/models.md).
NORM_MOMENTUM = {"paper": 0.9, "released": 0.999}
NORM_EPSILON = 1e-3


def join(tensors: list[Tensor], name: str) -> Tensor:
    """Concatenate tensors (B, H, W, *) on channels; a single one stays."""
    if len(tensors) == 1:
        return tensors[0]
    return keras.layers.Concatenate(name=f"{name}_inputs")(tensors)


def normalize(tensor: Tensor, name: str, variant: Variant) -> Tensor:
    """Normalize (B, H, W, F) over the batch, with the variant's momentum."""
    return keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM[variant], epsilon=NORM_EPSILON, name=f"{name}_norm"
    )(tensor)


def convolve(
    tensors: list[Tensor], filters: int, name: str, *, variant: Variant
) -> Tensor:
    """Apply a 3x3 convolution: (B, H, W, *) to (B, H, W, filters)."""
    x = convolve_linearly(tensors, filters, name, variant=variant)
    if variant == "released":
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
        return normalize(x, name, variant)
    x = normalize(x, name, variant)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def convolve_linearly(
    tensors: list[Tensor], filters: int, name: str, *, variant: Variant
) -> Tensor:
    """Apply a 3x3 convolution alone, padded as the variant does."""
    x = join(tensors, name)
    if variant == "released":
        x = SymmetricPadding2D(1, name=f"{name}_pad")(x)
        return keras.layers.Conv2D(filters, 3, padding="valid", name=name)(x)
    return keras.layers.Conv2D(filters, 3, padding="same", name=name)(x)


def pool(
    tensors: list[Tensor], name: str, *, variant: Variant, upsampling: str
) -> tuple[Tensor, Tensor | None]:
    """Halve (B, H, W, *) by the maximum of 2x2 pixels, and tell where it was."""
    x, indices = halve(join(tensors, name), upsampling, name=name)
    return resize_end(x, name, variant), indices


def double(
    tensors: list[Tensor],
    filters: int,
    name: str,
    indices: Tensor | None,
    *,
    variant: Variant,
    upsampling: str,
) -> Tensor:
    """Double height and width: (B, H, W, *) to (B, 2H, 2W, filters)."""
    x = upsample(
        join(tensors, name), upsampling, filters=filters, name=name, indices=indices
    )
    return resize_end(x, name, variant)


def resize_end(x: Tensor, name: str, variant: Variant) -> Tensor:
    """Normalize what was halved or doubled; "paper" also applies a ReLU."""
    x = normalize(x, name, variant)
    return x if variant == "released" else keras.layers.ReLU(name=f"{name}_relu")(x)


def predict_logits(
    tensors: list[Tensor], num_classes: int, *, variant: Variant
) -> Tensor:
    """Give one map of float32 logits per class: (B, H, W, num_classes)."""
    x = convolve_linearly(tensors, num_classes, "output_conv", variant=variant)
    if variant == "released":
        x = keras.layers.Activation("sigmoid", name="output_sigmoid")(x)
    return keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM[variant],
        epsilon=NORM_EPSILON,
        dtype="float32",
        name="logits",
    )(x)


def build_defect_seg_net(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    variant: Variant = "paper",
    upsampling: str = "transposed",
    name: str = "defectsegnet",
) -> keras.Model:
    """Build DefectSegNet.

    With one channel and one class it has 350,430 trainable parameters and
    351,518 in all. An output pixel depends on input pixels at most 51 px away, with
    "bilinear" upsampling 58 and with "subpixel" 65 px.

    Args:
        input_shape: (H, W, C) of the normalized image, in pixels; H and W are
            multiples of 8 or None, which is any such size.
        num_classes: Number of output maps K. 1 is the published form, the
            logits of one defect (sigmoid); K >= 2 are the logits of K classes,
            the matrix first (softmax).
        variant: "paper" or "released", see the head of this file.
        upsampling: A name of `UPSAMPLING_METHODS`; "transposed" is the published.
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When a given height or width is no multiple of 8, or the
            variant or the upsampling is unknown.
        ValueError: When `num_classes` is below 1.

    Example:
        >>> model = build_defect_seg_net((48, 64, 1), num_classes=1)
        >>> model.output_shape
        (None, 48, 64, 1)
        >>> sum(int(w.numpy().size) for w in model.trainable_weights)
        350430

    References:
        Roberts et al., Scientific Reports 9, 12744 (2019),
        https://doi.org/10.1038/s41598-019-49105-0
    """
    require_input_shape(input_shape, stride=STRIDE)
    require_known(variant, NORM_MOMENTUM, what="variant", error=ModelError)
    if num_classes < 1:
        raise ValueError(
            f"`num_classes` must be at least 1. Received: num_classes={num_classes}."
        )
    conv = partial(convolve, variant=variant)
    down = partial(pool, variant=variant, upsampling=upsampling)
    up = partial(double, variant=variant, upsampling=upsampling)

    t0 = keras.Input(input_shape, name="image")  # (B, H, W, C)

    # Encoder
    t1 = conv([t0], 4, "dense_block_1_conv_1")  # (B, H, W, 4)
    t2 = conv([t0, t1], 4, "dense_block_1_conv_2")
    t3, indices_1 = down([t0, t1, t2], "pool_1")  # (B, H/2, W/2, C + 8)

    t4 = conv([t3], 16, "dense_block_2_conv_1")  # (B, H/2, W/2, 16)
    t5 = conv([t3, t4], 16, "dense_block_2_conv_2")
    t6, indices_2 = down([t3, t4, t5], "pool_2")  # (B, H/4, W/4, C + 40)

    t7 = conv([t6], 32, "dense_block_3_conv_1")  # (B, H/4, W/4, 32)
    t8 = conv([t6, t7], 32, "dense_block_3_conv_2")
    t9, indices_3 = down([t6, t7, t8], "pool_3")  # (B, H/8, W/8, C + 104)

    # Bridge
    t10 = conv([t9], 64, "dense_block_4_conv_1")  # (B, H/8, W/8, 64)
    t11 = conv([t9, t10], 64, "dense_block_4_conv_2")

    # Decoder, which reads the encoder's tensors of the same resolution
    t12 = up([t9, t10, t11], 32, "upsample_1", indices_3)  # (B, H/4, W/4, 32)
    t13 = conv([t6, t7, t8, t12], 32, "dense_block_5_conv_1")
    t14 = conv([t6, t7, t8, t12, t13], 32, "dense_block_5_conv_2")

    t15 = up(
        [t6, t7, t8, t12, t13, t14], 16, "upsample_2", indices_2
    )  # (B, H/2, W/2, 16)
    t16 = conv([t3, t4, t5, t15], 16, "dense_block_6_conv_1")
    t17 = conv([t3, t4, t5, t15, t16], 16, "dense_block_6_conv_2")

    t18 = up([t3, t4, t5, t15, t16, t17], 8, "upsample_3", indices_1)  # (B, H, W, 8)
    t19 = conv([t0, t1, t2, t18], 4, "dense_block_7_conv_1")  # (B, H, W, 4)

    t20 = predict_logits([t0, t1, t2, t18, t19], num_classes, variant=variant)
    return keras.Model(t0, t20, name=name)  # (B, H, W, num_classes)
