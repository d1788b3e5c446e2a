"""Weights for an encoder: those of ImageNet, or an own file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

import defectkeras.models.layers  # noqa: F401  (registers our layers)
from defectkeras.core.errors import ModelError
from defectkeras.models.encoders.families import EncoderFamily

PREFIX = "encoder_"
"""Of the names of all layers of an encoder, wherever it is built in."""


def preprocessing_name(encoder: str) -> str:
    """Give the name of the layer that tells which encoder a model holds."""
    return f"{encoder}_preprocessing"


def copy_imagenet_weights(
    network: keras.Model,
    encoder: keras.Model,
    names: Mapping[str, str],
    family: EncoderFamily,
) -> None:
    """Give an encoder the weights of its network.

    Args:
        network: Of three channels, with the weights.
        encoder: Of any number of channels.
        names: Of the network's layers to those of the encoder's.
        family: What the network is.
    """
    channels = encoder.input_shape[-1]
    with_weights = [layer for layer in network.layers if layer.weights]
    for layer in with_weights:
        weights = layer.get_weights()
        if layer is with_weights[0]:
            weights = adapt_first_convolution(weights, family, channels)
        encoder.get_layer(names[layer.name]).set_weights(weights)


def adapt_first_convolution(
    weights: list[NDArray[Any]], family: EncoderFamily, channels: int
) -> list[NDArray[Any]]:
    """Let the first convolution read another number of channels than three.

    The kernel is summed over red, green and blue and divided by the number of
    channels, so that equal channels give what a grey picture gave. The channels
    then share one offset, and the bias makes up for it (at the very border, where
    zeros are padded, not quite).

    Args:
        weights: The kernel (k, k, 3, F) and perhaps the bias (F,).
        family: Tells the order of the channels and their offsets.
        channels: C of the images (H, W, C).

    Returns:
        The kernel (k, k, C, F), for red, green and blue where C is 3, and perhaps
        the bias (F,).
    """
    kernel, *bias = weights
    if family.channels == "bgr":
        kernel = kernel[:, :, ::-1]
    if channels == 3:
        return [kernel, *bias]
    offsets = np.array(family.offsets_rgb)
    shift = np.einsum("yxcf,c->f", kernel, offsets - offsets.mean())
    grey = kernel.sum(axis=2, keepdims=True) / channels
    return [np.repeat(grey, channels, axis=2), *(b + shift for b in bias)]


def copy_own_weights(path: Path, encoder: keras.Model) -> None:
    """Give an encoder the weights that a `.keras` file has for it.

    Args:
        path: The file, of this encoder alone or of a larger model with it.
        encoder: Gets the weights.

    Raises:
        ModelError: When the file cannot be loaded or does not hold this encoder.
    """
    if not path.is_file():
        raise ModelError(
            "`encoder_weights` must be 'imagenet' or a `.keras` file that is there. "
            f"Received: {str(path)!r}."
        )
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{path}: cannot be loaded as a `.keras` file: {reason}"
        ) from error
    found = {layer.name.removeprefix(PREFIX): layer for layer in model.layers}
    if preprocessing_name(encoder.name) not in found:
        raise ModelError(f"{path}: must hold the encoder {encoder.name}. It does not.")
    for layer in encoder.layers:
        if not layer.weights:
            continue
        source = found.get(layer.name.removeprefix(PREFIX))  # older files have none
        weights = [] if source is None else source.get_weights()
        if [w.shape for w in weights] != [tuple(w.shape) for w in layer.weights]:
            raise ModelError(
                f"{path}: {layer.name} must have weights of the shapes "
                f"{[tuple(w.shape) for w in layer.weights]}. Received: "
                f"{[w.shape for w in weights]}. Take the same width and channels."
            )
        layer.set_weights(weights)
