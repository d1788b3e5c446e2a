"""A model with its normalizations taken into the convolutions before them.

At inference a normalization multiplies each channel and adds to it, which a
convolution can do with its own kernel and bias. The result is the same function, up
to rounding, with fewer operations and fewer weights.
"""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

_FOLDABLE = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
)


def fold_batch_norms(model: keras.Model, *, dtype: str | None = None) -> keras.Model:
    """Take each normalization that follows a convolution into that convolution.

    With kernel w, bias b, and gamma, beta, mean m and variance v of a channel:
    `w' = w gamma / sqrt(v + eps)` and `b' = (b - m) gamma / sqrt(v + eps) + beta`.
    Normalizations elsewhere (after a pool or an activation) stay. A model within the
    model, such as a member of an ensemble, is folded as well.

    Args:
        model: A functional model; it is not changed.
        dtype: Policy of all layers of the result, such as "float32"; None keeps
            that of each.

    Returns:
        A model with the same inputs and outputs, for inference only.
    """
    pairs = _find_pairs(model)
    norms = {norm.name for norm in pairs.values()}

    def copy(layer: keras.Layer) -> keras.Layer:
        if _is_model(layer):
            return fold_batch_norms(layer, dtype=dtype)
        config = layer.get_config()
        if layer.name in pairs:
            config["use_bias"] = True
        if dtype is not None:
            config["dtype"] = dtype
        return type(layer).from_config(config)

    def call(layer: keras.Layer, *inputs: Any, **options: Any) -> Any:
        return inputs[0] if layer.name in norms else layer(*inputs, **options)

    folded = keras.models.clone_model(model, clone_function=copy, call_function=call)
    _copy_weights(model, folded, pairs)
    return folded


def _find_pairs(model: keras.Model) -> dict[str, keras.Layer]:
    """Give each convolution's name with the normalization that alone reads it."""
    pairs = {}
    for norm in model.layers:
        if not isinstance(norm, keras.layers.BatchNormalization):
            continue
        conv: Any = norm._inbound_nodes[0].input_tensors[0]._keras_history.operation
        if (
            _called_once(norm)
            and type(conv) in _FOLDABLE
            and _called_once(conv)
            and len(conv._outbound_nodes) == 1
            and conv.output not in model.outputs
            and _is_linear(conv)
            and norm.axis in (-1, 3)
        ):
            pairs[conv.name] = norm
    return pairs


def _copy_weights(model: Any, folded: Any, pairs: dict[str, Any]) -> None:
    """Give a folded model its weights; models within it have theirs already."""
    norms = {norm.name for norm in pairs.values()}
    own = [x for x in model.layers if x.weights and not _is_model(x)]
    for layer in own:
        if layer.name in pairs:
            weights = _fold(layer, pairs[layer.name])
            folded.get_layer(layer.name).set_weights(weights)
        elif layer.name not in norms:
            folded.get_layer(layer.name).set_weights(layer.get_weights())


def _is_model(layer: Any) -> bool:
    return isinstance(layer, keras.Model)


def _called_once(layer: keras.Layer) -> bool:
    return len(layer._inbound_nodes) == 1


def _is_linear(conv: Any) -> bool:
    return bool(conv.activation is keras.activations.linear)


def _fold(conv: Any, norm: Any) -> list[NDArray[np.float32]]:
    """Give kernel and bias of a convolution with a normalization taken in."""
    channels = conv.output.shape[-1]
    gamma = norm.gamma.numpy() if norm.scale else np.ones(channels)
    beta = norm.beta.numpy() if norm.center else np.zeros(channels)
    mean, variance = norm.moving_mean.numpy(), norm.moving_variance.numpy()
    factor = gamma / np.sqrt(variance.astype(np.float64) + norm.epsilon)
    kernel = conv.kernel.numpy()
    if isinstance(conv, keras.layers.Conv2DTranspose):  # (rows, columns, out, in)
        scaled = kernel * factor[:, np.newaxis]
    elif isinstance(conv, keras.layers.DepthwiseConv2D):  # (rows, columns, in, times)
        scaled = kernel * factor.reshape(kernel.shape[2:])
    else:
        scaled = kernel * factor
    bias = conv.bias.numpy() if conv.use_bias else np.zeros(channels)
    shifted = (bias - mean) * factor + beta
    return [scaled.astype(np.float32), shifted.astype(np.float32)]
