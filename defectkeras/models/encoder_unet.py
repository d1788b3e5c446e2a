"""A U-Net whose descending half is a pretrained encoder: best for few images.

O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical
image segmentation", MICCAI (2015), https://doi.org/10.1007/978-3-319-24574-4_28; the
encoder in its place as in V. Iglovikov, A. Shvets, "TernausNet" (2018),
https://doi.org/10.48550/arXiv.1801.05746

The decoder doubles the smallest map until it has the size of the image; after each
time the encoder's map of that size joins, and two 3x3 convolutions follow. It is small
on purpose, so that what was pretrained is most of the model. Ours differs from the
papers: padded convolutions with normalization, a choice of the upsampling, and of how
deep the encoder is taken: what sees farthest has most of the weights (of
EfficientNet-Lite0's 3.4 million, 0.6 up to 1/16), and textures do not need it.
"""

import keras

from defectkeras.core.errors import ModelError
from defectkeras.models.decoder_layers import convolve, normalize, predict_logits
from defectkeras.models.encoders import build_encoder
from defectkeras.models.shapes import InputShape, require_input_shape
from defectkeras.models.upsampling import upsample

STRIDES = (32, 16, 8)
DECODER_FILTERS = {16: 128, 8: 64, 4: 48, 2: 32, 1: 16}
"""Stride of a map to the channels of the decoder there."""


def build_encoder_unet(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    encoder: str = "efficientnet_lite0",
    encoder_weights: str | None = None,
    encoder_alpha: float = 1.0,
    encoder_stride: int = 32,
    upsampling: str = "bilinear",
    name: str = "encoder_unet",
) -> keras.Model:
    """Build a U-Net on an encoder.

    Args:
        input_shape: (H, W, C) of the image in [0, 1]; H and W are multiples of
            `encoder_stride` or None, which is any such size.
        num_classes: Number of output maps K; 1 is one defect (sigmoid), K >= 2
            are classes, the matrix first (softmax).
        encoder: A name of `ENCODERS`.
        encoder_weights: "imagenet", None, or the path of a `.keras` file.
        encoder_alpha: Width of a MobileNet.
        encoder_stride: 32, 16 or 8: by how much the smallest map is smaller than the
            image; the encoder ends there.
        upsampling: "bilinear", "nearest", "transposed", "subpixel" or "bed_of_nails".
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When an argument does not fit, or the weights cannot be had.
        ValueError: When `num_classes` is below 1.

    Example:
        >>> model = build_encoder_unet((64, 96, 1), num_classes=4)
        >>> model.output_shape
        (None, 64, 96, 4)
    """
    if encoder_stride not in STRIDES:
        raise ModelError(
            f"`encoder_stride` must be one of {STRIDES}. Received: {encoder_stride}."
        )
    require_input_shape(input_shape, stride=encoder_stride)
    network = build_encoder(
        encoder, input_shape, weights=encoder_weights, alpha=encoder_alpha
    )
    x = network.output[f"stride_{encoder_stride}"]  # (B, H/32, W/32, *)
    for stride, filters in DECODER_FILTERS.items():
        if stride >= encoder_stride:
            continue
        level = f"decoder_{stride}"
        x = upsample(x, upsampling, filters=filters, name=f"{level}_upsample")
        x = normalize(x, f"{level}_upsample")  # (B, H/stride, W/stride, filters)
        if stride > 1:
            skip = network.output[f"stride_{stride}"]
            x = keras.layers.Concatenate(name=f"{level}_inputs")([x, skip])
        x = convolve(x, filters, 3, f"{level}_1")
        x = convolve(x, filters, 3, f"{level}_2")
    x = predict_logits(x, num_classes, 1)  # (B, H, W, K)
    return keras.Model(network.input, x, name=name)
