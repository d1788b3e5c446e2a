"""EfficientNet-Lite0, a classifier for small machines, as an encoder.

M. Tan, Q. V. Le, "EfficientNet: rethinking model scaling for convolutional neural
networks", ICML (2019), https://doi.org/10.48550/arXiv.1905.11946; the "lite" form
was released with TensorFlow's models in 2020: no squeeze-and-excitation, ReLU6 in
place of swish, and the first and the last convolution are not scaled.

Each block is an inverted residual: a 1x1 convolution widens, a depthwise
convolution looks around, a 1x1 convolution narrows, and the input is added where
it fits. Channels of the stages for an image of (H, W), both multiples of 32:

    H/2: 32, 16 | H/4: 24 | H/8: 40 | H/16: 80, 112 | H/32: 192, 320, 1280

Ours differs in nothing but that the padding of strided depthwise convolutions is a
layer of its own (TensorFlow's "same" for even sizes), so that the strides can be
removed, see `atrous.py`.
"""

from typing import Any, NamedTuple, TypeAlias

import keras

Tensor: TypeAlias = Any

STEM_FILTERS = 32
HEAD_FILTERS = 1280
NORM_EPSILON = 1e-3


class Stage(NamedTuple):
    """Blocks of one width; the first of them has the stride."""

    kernel: int
    stride: int
    expansion: int
    filters: int
    blocks: int


STAGES = (
    Stage(3, 1, 1, 16, 1),
    Stage(3, 2, 6, 24, 2),
    Stage(5, 2, 6, 40, 2),
    Stage(3, 2, 6, 80, 3),
    Stage(5, 1, 6, 112, 3),
    Stage(5, 2, 6, 192, 4),
    Stage(3, 1, 6, 320, 1),
)


def build_efficientnet_lite0(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
) -> keras.Model:
    """Build EfficientNet-Lite0 without its classifier.

    With three channels it has 3,413,024 parameters, 3,371,008 of them trainable.

    Args:
        input_shape: (H, W, C) of an image that is preprocessed, in [-1, 1]; H and
            W are multiples of 32 or None.

    Returns:
        A model from (B, H, W, C) to (B, H/32, W/32, 1280).
    """
    image = keras.Input(input_shape, name="image")
    x = keras.layers.Conv2D(
        STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name="stem_conv"
    )(image)
    x = _normalize(x, "stem", is_activated=True)  # (B, H/2, W/2, 32)
    number = 0
    for stage in STAGES:
        for place in range(stage.blocks):
            stride = stage.stride if place == 0 else 1
            x = _inverted_residual(x, stage, stride, f"block_{number}")
            number += 1
    x = keras.layers.Conv2D(HEAD_FILTERS, 1, use_bias=False, name="head_conv")(x)
    x = _normalize(x, "head", is_activated=True)  # (B, H/32, W/32, 1280)
    return keras.Model(image, x, name="efficientnet_lite0")


def _inverted_residual(x: Tensor, stage: Stage, stride: int, name: str) -> Tensor:
    """Widen, look around, narrow: (B, H, W, C) to (B, H/stride, W/stride, F)."""
    block_input, channels = x, x.shape[-1]
    if stage.expansion > 1:
        x = keras.layers.Conv2D(
            stage.expansion * channels, 1, use_bias=False, name=f"{name}_expand_conv"
        )(x)
        x = _normalize(x, f"{name}_expand", is_activated=True)
    if stride > 1:
        sides = (stage.kernel // 2 - 1, stage.kernel // 2)
        x = keras.layers.ZeroPadding2D((sides, sides), name=f"{name}_pad")(x)
    x = keras.layers.DepthwiseConv2D(
        stage.kernel,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        name=f"{name}_depthwise_conv",
    )(x)
    x = _normalize(x, f"{name}_depthwise", is_activated=True)
    x = keras.layers.Conv2D(
        stage.filters, 1, use_bias=False, name=f"{name}_project_conv"
    )(x)
    x = _normalize(x, f"{name}_project", is_activated=False)
    if stride == 1 and channels == stage.filters:
        x = keras.layers.Add(name=f"{name}_add")([block_input, x])
    return x


def _normalize(x: Tensor, name: str, *, is_activated: bool) -> Tensor:
    x = keras.layers.BatchNormalization(epsilon=NORM_EPSILON, name=f"{name}_norm")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if is_activated else x
