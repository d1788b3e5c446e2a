"""FastFCN: an encoder with its strides, joint pyramid upsampling, and a usual head.

H. Wu, J. Zhang, K. Huang, K. Liang, Y. Yu, "FastFCN: rethinking dilated convolution
in the backbone for semantic segmentation" (2019),
https://doi.org/10.48550/arXiv.1903.11816

Heads on the map at 1/8:

- "fcn": a 3x3 convolution of 512 channels.
- "psp": the map's means over 1, 4, 9 and 36 cells beside it (H. Zhao et al., "Pyramid
  scene parsing network", CVPR (2017), https://doi.org/10.1109/CVPR.2017.660).
- "aspp": the pyramid of DeepLabV3 with rates of 12, 24 and 36.
- "cbp": a gate on 512 channels from the compact bilinear pooling of the whole map.
  This combination is ours, from neither paper: FastFCN has no bilinear pooling
  (articles that say so take its bilinear interpolation for it). It is the context
  head of EncNet with compact bilinear pooling in the place of its encoding layer.

Ours differs from the paper: bilinear interpolation between pixel centers where theirs
holds the corners; no auxiliary head on the encoder and no loss on the presence of
classes; EncNet's own head is left out.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras

from defectkeras.core.errors import ModelError
from defectkeras.core.names import require_known
from defectkeras.models.aspp import RATES, add_aspp
from defectkeras.models.decoder_layers import convolve, predict_logits
from defectkeras.models.encoders import build_encoder
from defectkeras.models.joint_pyramid import FILTERS, add_joint_pyramid
from defectkeras.models.layers import (
    AdaptiveAveragePooling2D,
    CompactBilinearPooling2D,
    DescriptorNormalization,
    ResizeLike,
)
from defectkeras.models.shapes import InputShape, require_input_shape

Tensor: TypeAlias = Any

STRIDE = 32
MAP_STRIDE = 8
HEAD_FILTERS = 512
DROPOUT = 0.1
PYRAMID_BINS = (1, 2, 3, 6)
SKETCH_DIMENSION = 2048


def build_fast_fcn(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    encoder: str = "resnet50",
    encoder_weights: str | None = None,
    encoder_alpha: float = 1.0,
    head: str = "fcn",
    pyramid_filters: int = FILTERS,
    name: str = "fast_fcn",
) -> keras.Model:
    """Build FastFCN.

    With a ResNet and `pyramid_filters=512` the pyramid has 19,735,552 trainable
    parameters, and the head "fcn" 9,448,981 for 21 classes.

    Args:
        input_shape: (H, W, C) of the image in [0, 1]; H and W are multiples of 32 or
            None, which is any such size.
        num_classes: Number of output maps K; 1 is one defect (sigmoid), K >= 2
            are classes, the matrix first (softmax).
        encoder: A name of `ENCODERS`.
        encoder_weights: "imagenet", None, or the path of a `.keras` file.
        encoder_alpha: Width of a MobileNet.
        head: "fcn", "psp", "aspp" or "cbp", see the head of this file.
        pyramid_filters: Channels of each branch of the pyramid, 512 as published;
            fewer suit a small encoder.
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When an argument does not fit, or the weights cannot be had.
        ValueError: When `num_classes` is below 1.

    Example:
        >>> model = build_fast_fcn(
        ...     (64, 96, 1),
        ...     num_classes=4,
        ...     encoder="mobilenet_v2",
        ...     encoder_alpha=0.35,
        ...     pyramid_filters=32,
        ... )
        >>> model.output_shape
        (None, 64, 96, 4)
    """
    require_input_shape(input_shape, stride=STRIDE)
    require_known(head, HEADS, what="head", error=ModelError)
    network = build_encoder(
        encoder, input_shape, weights=encoder_weights, alpha=encoder_alpha
    )
    maps = [network.output[f"stride_{stride}"] for stride in (8, 16, 32)]
    x = add_joint_pyramid(*maps, filters=pyramid_filters)  # (B, H/8, W/8, 2048)
    x = HEADS[head](x)
    x = predict_logits(x, num_classes, MAP_STRIDE)  # (B, H, W, K)
    return keras.Model(network.input, x, name=name)


def _fcn(x: Tensor) -> Tensor:
    """Convolve: (B, H, W, *) to (B, H, W, 512)."""
    return _drop(convolve(x, HEAD_FILTERS, 3, "head_map"))


def _psp(x: Tensor) -> Tensor:
    """Add means over ever smaller cells: (B, H, W, C) to (B, H, W, 512)."""
    levels = [x]
    for bins in PYRAMID_BINS:
        cells = AdaptiveAveragePooling2D(bins, name=f"head_pool_{bins}")(x)
        cells = convolve(cells, x.shape[-1] // 4, 1, f"head_level_{bins}")
        levels.append(ResizeLike(name=f"head_spread_{bins}")([cells, x]))
    x = keras.layers.Concatenate(name="head_levels")(levels)
    return _fcn(x)


def _aspp(x: Tensor) -> Tensor:
    """Look at several scales: (B, H, W, *) to (B, H, W, 256)."""
    return add_aspp(x, RATES[MAP_STRIDE])


def _cbp(x: Tensor) -> Tensor:
    """Strengthen channels by what occurs together: (B, H, W, *) to (B, H, W, 512)."""
    x = convolve(x, HEAD_FILTERS, 1, "head_map")
    context = CompactBilinearPooling2D(SKETCH_DIMENSION, name="head_sketch")(x)
    context = DescriptorNormalization(name="head_descriptor")(context)
    gate = keras.layers.Dense(HEAD_FILTERS, "sigmoid", name="head_gate")(context)
    gate = keras.layers.Reshape((1, 1, HEAD_FILTERS), name="head_gate_map")(gate)
    gated = keras.layers.Multiply(name="head_gated")([x, gate])
    x = keras.layers.Add(name="head_sum")([x, gated])
    return _drop(keras.layers.ReLU(name="head_output")(x))


def _drop(x: Tensor) -> Tensor:
    return keras.layers.SpatialDropout2D(DROPOUT, name="head_dropout")(x)


HEADS: dict[str, Callable[[Tensor], Tensor]] = {
    "fcn": _fcn,
    "psp": _psp,
    "aspp": _aspp,
    "cbp": _cbp,
}
"""Name to a function of the pyramid's map."""
