"""DeepLabV3+: DeepLabV3 with a small decoder that sharpens the borders.

L.-C. Chen, Y. Zhu, G. Papandreou, F. Schroff, H. Adam, "Encoder-decoder with atrous
separable convolution for semantic image segmentation", ECCV (2018),
https://doi.org/10.1007/978-3-030-01234-2_49

The decoder joins the pyramid's map, four times larger, with 48 channels of the
encoder's map at 1/4, and has two 3x3 convolutions of 256 channels; in the paper's
study 48 and two were best.

Ours differs from the paper and from the code of its authors: bilinear interpolation
between pixel centers and a true mean of the map, as in `deeplab_v3.py`; Xception is
Chollet's, not the deeper "Xception-65". keras-hub's `DeepLabV3Backbone` differs more:
its encoder is not atrous (the pyramid stands on 1/32), and one 1x1 convolution takes
the place of the two 3x3 convolutions.
"""

from typing import Any, TypeAlias

import keras

from defectkeras.models.aspp import add_aspp, choose_rates
from defectkeras.models.decoder_layers import (
    convolve,
    convolve_separably,
    predict_logits,
)
from defectkeras.models.encoders import build_encoder
from defectkeras.models.encoders.build import NO_MULTI_GRID
from defectkeras.models.layers import ResizeLike
from defectkeras.models.shapes import InputShape, require_input_shape

Tensor: TypeAlias = Any

LOW_LEVEL_STRIDE = 4
LOW_LEVEL_FILTERS = 48
DECODER_FILTERS = 256


def build_deeplab_v3_plus(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    encoder: str = "resnet50",
    encoder_weights: str | None = None,
    encoder_alpha: float = 1.0,
    output_stride: int = 16,
    multi_grid: tuple[int, int, int] = NO_MULTI_GRID,
    rates: tuple[int, ...] | None = None,
    image_pooling: bool = True,
    separable: bool = False,
    name: str = "deeplab_v3_plus",
) -> keras.Model:
    """Build DeepLabV3+.

    With a ResNet the pyramid has 15,535,104 trainable parameters (separably
    3,019,776) and the decoder 1,303,648 (162,928), without the classes.

    Args:
        input_shape: (H, W, C) of the image in [0, 1]; H and W are multiples of
            `output_stride` or None, which is any such size.
        num_classes: Number of output maps K; 1 is one defect (sigmoid), K >= 2
            are classes, the matrix first (softmax).
        encoder: A name of `ENCODERS`.
        encoder_weights: "imagenet", None, or the path of a `.keras` file.
        encoder_alpha: Width of a MobileNet.
        output_stride: 8 or 16.
        multi_grid: Factors of the rates of a ResNet's last three 3x3 convolutions.
        rates: Of the pyramid; None takes (6, 12, 18) at 16 and (12, 24, 36) at 8.
        image_pooling: Whether the mean of the whole map is a branch.
        separable: Whether the 3x3 convolutions of pyramid and decoder are depthwise
            separable, with a ReLU between their two parts.
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When an argument does not fit, or the weights cannot be had.
        ValueError: When `num_classes` is below 1.

    Example:
        >>> model = build_deeplab_v3_plus(
        ...     num_classes=4, encoder="mobilenet_v2", encoder_alpha=0.35
        ... )
        >>> model.output_shape
        (None, None, None, 4)
    """
    require_input_shape(input_shape, stride=output_stride)
    rates = choose_rates(rates, output_stride, input_shape)
    network = build_encoder(
        encoder,
        input_shape,
        output_stride=output_stride,
        weights=encoder_weights,
        alpha=encoder_alpha,
        multi_grid=multi_grid,
    )
    x = network.output[f"stride_{output_stride}"]  # (B, H/16, W/16, 2048)
    x = add_aspp(x, rates, image_pooling=image_pooling, separable=separable)
    low_level = network.output[f"stride_{LOW_LEVEL_STRIDE}"]  # (B, H/4, W/4, *)
    x = add_decoder(x, low_level, separable=separable)  # (B, H/4, W/4, 256)
    x = predict_logits(x, num_classes, LOW_LEVEL_STRIDE)  # (B, H, W, K)
    return keras.Model(network.input, x, name=name)


def add_decoder(x: Tensor, low_level: Tensor, *, separable: bool = False) -> Tensor:
    """Join a coarse map with a fine one.

    Args:
        x: (B, H/16, W/16, 256).
        low_level: (B, H/4, W/4, *).
        separable: Whether the two 3x3 convolutions are depthwise separable.

    Returns:
        (B, H/4, W/4, 256).
    """
    low_level = convolve(low_level, LOW_LEVEL_FILTERS, 1, "low_level")
    x = ResizeLike(name="decoder_upsample")([x, low_level])
    x = keras.layers.Concatenate(name="decoder_inputs")([x, low_level])  # 304 channels
    for name in ("decoder_1", "decoder_2"):
        if separable:
            x = convolve_separably(x, DECODER_FILTERS, name)
        else:
            x = convolve(x, DECODER_FILTERS, 3, name)
    return x
