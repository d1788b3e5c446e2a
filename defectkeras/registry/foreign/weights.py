"""Saved weights by layer, put into the layers of Keras 3."""

from collections.abc import Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.errors import ModelError

_OLD_NAMES = {"kernel": "depthwise_kernel"}  # of DepthwiseConv2D

Arrays = Mapping[str, NDArray[np.float32]]
"""Name of a weight, such as "kernel", or its number where names were not saved."""


def set_weights(model: keras.Model, weights: Mapping[str, Arrays]) -> None:
    """Set every weight of a model from those that were saved for its layers.

    Args:
        model: From `build_network`.
        weights: Name of a layer to its arrays.

    Raises:
        ModelError: When a layer has no saved weights, or one has another shape, or
            whole numbers in place of fractions, as a quantized layer has.
    """
    for layer in model.layers:
        if layer.weights:
            arrays = _fold_weight_norm(dict(weights.get(layer.name, {})), layer)
            layer.set_weights(
                [_find(arrays, w, i, layer) for i, w in enumerate(layer.weights)]
            )
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with copies of its weights


def _find(
    arrays: Arrays, weight: keras.Variable, number: int, layer: keras.layers.Layer
) -> NDArray[np.float32]:
    names = (weight.name, _OLD_NAMES.get(weight.name, ""), str(number))
    found = next((arrays[name] for name in names if name in arrays), None)
    if found is None or tuple(found.shape) != tuple(weight.shape):
        received = "none" if found is None else str(tuple(found.shape))
        raise ModelError(
            f"The layer {layer.name!r} must have {weight.name!r} of the shape "
            f"{tuple(weight.shape)} in the file. Received: {received}."
        )
    if found.dtype.kind in "iu" and "int" not in weight.dtype:
        raise ModelError(
            f"The layer {layer.name!r} must have {weight.name!r} as {weight.dtype} in "
            f"the file. Received: {found.dtype}. Save the model before it is quantized."
        )
    return found


def _fold_weight_norm(
    arrays: dict[str, NDArray[np.float32]], layer: keras.layers.Layer
) -> Arrays:
    """Multiply out WeightNormalization: kernel = g v / |v| for each filter."""
    gain = arrays.get("g", arrays.get("0") if "layer/0" in arrays else None)
    if gain is None:
        return arrays
    direction = arrays.get("kernel", arrays.get("v", arrays.get("1")))
    if direction is None:
        raise ModelError(f"The layer {layer.name!r} must have its kernel in the file.")
    axes = tuple(range(direction.ndim - 1))
    # tensorflow.nn.l2_normalize puts this floor under the square of the length
    length = np.sqrt(np.maximum(np.sum(direction**2, axis=axes), 1e-12))
    folded = {"kernel": (direction / length * gain).astype(np.float32)}
    bias = arrays.get("bias", arrays.get("layer/0"))
    return folded if bias is None else {**folded, "bias": bias}
