"""What the decoders after an encoder have in common."""

from typing import Any, TypeAlias

import keras

from defectkeras.models.layers import BilinearUpsampling2D

Tensor: TypeAlias = Any

NORM_MOMENTUM = 0.9  # as in the encoders
NORM_EPSILON = 1e-5


def normalize(x: Tensor, name: str, *, is_activated: bool = True) -> Tensor:
    """Normalize (B, H, W, F) over the batch, and perhaps apply a ReLU."""
    x = keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM, epsilon=NORM_EPSILON, name=f"{name}_norm"
    )(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if is_activated else x


def convolve(
    x: Tensor, filters: int, kernel: int, name: str, *, rate: int = 1
) -> Tensor:
    """Convolve without bias, normalize, ReLU: (B, H, W, *) to (B, H, W, filters)."""
    x = keras.layers.Conv2D(
        filters,
        kernel,
        padding="same",
        dilation_rate=rate,
        use_bias=False,
        name=f"{name}_conv",
    )(x)
    return normalize(x, name)


def convolve_separably(
    x: Tensor,
    filters: int,
    name: str,
    *,
    rate: int = 1,
    is_activated_between: bool = True,
) -> Tensor:
    """Convolve each channel by 3x3, normalize, then mix the channels by 1x1.

    DeepLab's form has a ReLU between the two, which `SeparableConv2D` has not.
    """
    x = keras.layers.DepthwiseConv2D(
        3,
        padding="same",
        dilation_rate=rate,
        use_bias=False,
        name=f"{name}_depthwise_conv",
    )(x)
    x = normalize(x, f"{name}_depthwise", is_activated=is_activated_between)
    return convolve(x, filters, 1, f"{name}_pointwise")


def predict_logits(x: Tensor, num_classes: int, factor: int) -> Tensor:
    """Give one float32 map per class in the size of the image, bilinearly.

    Args:
        x: (B, H/factor, W/factor, F).
        num_classes: K, at least 1.
        factor: How much smaller the map is than the image.

    Returns:
        (B, H, W, K).

    Raises:
        ValueError: When `num_classes` is below 1.
    """
    if num_classes < 1:
        raise ValueError(
            f"`num_classes` must be at least 1. Received: num_classes={num_classes}."
        )
    x = keras.layers.Conv2D(num_classes, 1, dtype="float32", name="classes")(x)
    return BilinearUpsampling2D(factor, dtype="float32", name="logits")(x)
