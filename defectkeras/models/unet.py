"""U-Net.

O. Ronneberger, P. Fischer, T. Brox, "U-Net: Convolutional Networks for Biomedical
Image Segmentation", MICCAI (2015), https://doi.org/10.1007/978-3-319-24574-4_28

Four times two 3x3 convolutions and a 2x2 max pool, each level with twice the
filters; two convolutions at the bottom; then four times an upsampling to half the
filters, joined with the encoder's map of the same size, and two convolutions.

Ours differs: the convolutions keep the size ("same") where the authors' lose a pixel
on each side (572 in, 388 out), so that nothing is cropped and the logits have the
size of the image; prediction gives each tile its context by a halo instead. The
convolutions can be batch-normalized, which the paper's are not, and how the decoder
upsamples can be chosen; the paper's is "transposed". The dropout at the bottom is
left out.
"""

from typing import Any, TypeAlias

import keras

from defectkeras.models.shapes import InputShape, require_input_shape
from defectkeras.models.upsampling import halve, upsample

Tensor: TypeAlias = Any

LEVELS = 4
STRIDE = 2**LEVELS


def convolve_twice(x: Tensor, filters: int, name: str, *, batch_norm: bool) -> Tensor:
    """Apply two 3x3 convolutions with ReLU: (B, H, W, *) to (B, H, W, filters)."""
    for number in (1, 2):
        x = keras.layers.Conv2D(
            filters,
            3,
            padding="same",
            kernel_initializer="he_normal",
            name=f"{name}_conv_{number}",
        )(x)
        if batch_norm:
            x = keras.layers.BatchNormalization(
                momentum=0.9, name=f"{name}_norm_{number}"
            )(x)
        x = keras.layers.ReLU(name=f"{name}_relu_{number}")(x)
    return x


def build_unet(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    filters: int = 64,
    batch_norm: bool = True,
    upsampling: str = "transposed",
    name: str = "unet",
) -> keras.Model:
    """Build U-Net.

    With 64 filters, no normalization, one channel and two classes, as published, it
    has 31,030,658 parameters.

    Args:
        input_shape: (H, W, C) of the normalized image, in pixels; H and W are
            multiples of 16 or None, which is any such size.
        num_classes: Number of output maps K: 1 for a sigmoid, K >= 2 for a softmax
            over K classes, the matrix first.
        filters: Of the first level.
        batch_norm: Whether each 3x3 convolution is normalized before its ReLU.
        upsampling: A name of `UPSAMPLING_METHODS`.
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When a given height or width is no multiple of 16, or the
            upsampling is unknown.

    Example:
        >>> build_unet((32, 48, 1), num_classes=3, filters=4).output_shape
        (None, 32, 48, 3)

    References:
        Ronneberger, Fischer, Brox, MICCAI (2015),
        https://doi.org/10.1007/978-3-319-24574-4_28
    """
    require_input_shape(input_shape, stride=STRIDE)
    image = keras.Input(input_shape, name="image")  # (B, H, W, C)
    x, encoded = image, []
    for level in range(1, LEVELS + 1):
        x = convolve_twice(
            x, filters * 2 ** (level - 1), f"down_{level}", batch_norm=batch_norm
        )
        pooled, indices = halve(x, upsampling, name=f"pool_{level}")
        encoded.append((x, indices))
        x = pooled
    x = convolve_twice(x, filters * STRIDE, "bottom", batch_norm=batch_norm)
    for level in range(LEVELS, 0, -1):
        skip, indices = encoded[level - 1]
        x = upsample(
            x,
            upsampling,
            filters=skip.shape[-1],
            name=f"upsample_{level}",
            indices=indices,
        )
        x = keras.layers.Concatenate(name=f"join_{level}")([skip, x])
        x = convolve_twice(x, skip.shape[-1], f"up_{level}", batch_norm=batch_norm)
    logits = keras.layers.Conv2D(num_classes, 1, dtype="float32", name="logits")(x)
    return keras.Model(image, logits, name=name)  # (B, H, W, num_classes)
