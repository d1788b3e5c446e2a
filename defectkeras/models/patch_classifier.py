"""The sliding-window patch classifier, from which the field came.

D. C. Ciresan, A. Giusti, L. M. Gambardella, J. Schmidhuber, "Deep Neural Networks
Segment Neuronal Membranes in Electron Microscopy Images", NIPS (2012),
https://proceedings.neurips.cc/paper/2012/hash/459a4ddcb586f24efd9395aa7662bc7c-Abstract.html

A network looks at a square window and says the class of its center pixel: some 4x4
convolutions, each followed by a 2x2 max pool, then a layer that sees all that is left
and a layer of classes. To segment an image it is asked once for each pixel.

It is here in two forms with the same weights and the same outputs:

- The window form takes one window (P, P, C) and gives (1, 1, K).
- The fully convolutional form takes an image and gives the logits of all pixels at
  once. A pool moves on by one pixel instead of two, and what follows it reads pixels
  that lie twice as far apart (dilation), so that no overlap is computed twice.

The second form is by A. Giusti, D. C. Ciresan, J. Masci, L. M. Gambardella,
J. Schmidhuber, "Fast Image Scanning with Deep Max-Pooling Convolutional Neural
Networks", ICIP (2013), https://doi.org/10.1109/ICIP.2013.6738831, with fragments in
place of dilations.

Ours differs: ReLU, one size of kernel and of window for each depth, and zeros outside
the image. benchmarks/sliding_window.py compares the cost.
"""

from typing import Any, TypeAlias

import keras

from defectkeras.core.errors import ModelError
from defectkeras.models.layers import DilatedMaxPooling2D
from defectkeras.models.shapes import InputShape, require_input_shape

Tensor: TypeAlias = Any

STRIDE = 1
KERNEL = 4
LAST_KERNEL = 3

LEVELS_OF_PATCH = {9: 1, 21: 2, 45: 3, 93: 4}
"""Side of the window in pixels to the number of convolutions with a pool."""


def build_patch_classifier(
    input_shape: InputShape = (None, None, 1),
    *,
    num_classes: int,
    patch_size: int = 45,
    filters: int = 48,
    name: str = "patch_classifier",
) -> keras.Model:
    """Build the fully convolutional form, for whole images.

    Args:
        input_shape: (H, W, C) of the normalized image, in pixels; H and W may be
            None, which is any size.
        num_classes: Number of output maps K: 1 for a sigmoid, K >= 2 for a softmax
            over K classes, the matrix first.
        patch_size: Side P of the window around a pixel that its class is told from,
            in pixels: 9, 21, 45 or 93.
        filters: Of each convolution; the dense layer has four times as many.
        name: Name of the model.

    Returns:
        An uncompiled model from (B, H, W, C) to logits (B, H, W, K) float32.

    Raises:
        ModelError: When there is no such patch size.

    Example:
        >>> model = build_patch_classifier((20, 30, 1), num_classes=3, patch_size=21)
        >>> model.output_shape
        (None, 20, 30, 3)

    References:
        Ciresan et al., NIPS (2012); Giusti et al., ICIP (2013),
        https://doi.org/10.1109/ICIP.2013.6738831
    """
    require_input_shape(input_shape, stride=STRIDE)
    levels = _levels(patch_size)
    image = keras.Input(input_shape, name="image")  # (B, H, W, C)
    x = keras.layers.ZeroPadding2D(patch_size // 2, name="surroundings")(image)
    for level in range(levels):
        x = _convolve(x, filters, KERNEL, f"conv_{level + 1}", dilation=2**level)
        x = DilatedMaxPooling2D(2**level, name=f"pool_{level + 1}")(x)
    logits = _classify(x, num_classes, filters, dilation=2**levels)
    return keras.Model(image, logits, name=name)  # (B, H, W, num_classes)


def build_window_classifier(
    *,
    num_classes: int,
    patch_size: int = 45,
    num_channels: int = 1,
    filters: int = 48,
    name: str = "window_classifier",
) -> keras.Model:
    """Build the window form, for single pixels.

    Its weights have the shapes and the order of those of the fully convolutional
    form: `window.set_weights(patch_classifier.get_weights())`.

    Args:
        num_classes: K, as in `build_patch_classifier`.
        patch_size: P, as there.
        num_channels: C, of the image.
        filters: As there.
        name: Name of the model.

    Returns:
        An uncompiled model from windows (N, P, P, C) to the logits (N, 1, 1, K)
        float32 of their center pixels.

    Raises:
        ModelError: When there is no such patch size.

    Example:
        >>> build_window_classifier(num_classes=3, patch_size=21).output_shape
        (None, 1, 1, 3)
    """
    window = keras.Input((patch_size, patch_size, num_channels), name="window")
    x = window
    for level in range(1, _levels(patch_size) + 1):
        x = _convolve(x, filters, KERNEL, f"conv_{level}", dilation=1)
        x = keras.layers.MaxPooling2D(2, name=f"pool_{level}")(x)
    logits = _classify(x, num_classes, filters, dilation=1)
    return keras.Model(window, logits, name=name)  # (N, 1, 1, num_classes)


def _levels(patch_size: int) -> int:
    if patch_size not in LEVELS_OF_PATCH:
        raise ModelError(
            f"`patch_size` must be one of {sorted(LEVELS_OF_PATCH)}. Received: "
            f"patch_size={patch_size}."
        )
    return LEVELS_OF_PATCH[patch_size]


def _classify(x: Tensor, num_classes: int, filters: int, *, dilation: int) -> Tensor:
    """Look at all that is left of each window, and give its logits."""
    x = _convolve(x, 4 * filters, LAST_KERNEL, "dense", dilation=dilation)
    return keras.layers.Conv2D(num_classes, 1, dtype="float32", name="logits")(x)


def _convolve(
    x: Tensor, filters: int, size: int, name: str, *, dilation: int
) -> Tensor:
    """Apply a convolution and a ReLU, without padding."""
    return keras.layers.Conv2D(
        filters,
        size,
        dilation_rate=dilation,
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(x)
