"""The description of a functional model of Keras 2, built again with Keras 3.

The last softmax or sigmoid is left out, for a model here gives logits.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from defectkeras.core.errors import ModelError
from defectkeras.models.layers import MaxPoolingWithIndices, MaxUnpooling2D
from defectkeras.registry.legacy.layers import read_layer, read_pooling

Place = tuple[str, int]
"""A tensor: the layer that gives it, and which of its outputs."""


def build_network(description: Mapping[str, Any], *, scale: float) -> keras.Model:
    """Build a functional or sequential model from what Keras 2 wrote about it.

    Args:
        description: {"class_name", "config"} as parsed JSON.
        scale: What the input in [0, 1] is multiplied by first.

    Returns:
        (B, H, W, C) of any size to logits (B, H, W, K) float32, without weights.

    Raises:
        ModelError: When a layer is not known, the model is subclassed, or it has
            not one image as input and one map as output.
    """
    layers, first, last = _entries(description)
    entry = next(layer for layer in layers if layer["name"] == first)
    channels = entry["config"].get("batch_input_shape", [None])[-1]
    if not isinstance(channels, int):
        raise ModelError(f"The input must tell its channels. Received: {entry}.")
    image = keras.Input((None, None, channels), name="image")
    x = image if scale == 1 else keras.layers.Rescaling(scale, name="scale")(image)
    tensors: dict[Place, Any] = {(first, 0): x}
    waiting = [layer for layer in layers if layer["name"] != first]
    while waiting:
        ready = [x for x in waiting if all(p in tensors for p in _places(x))]
        if not ready:
            names = ", ".join(layer["name"] for layer in waiting)
            raise ModelError(f"The layers {names} have inputs that are not there.")
        for layer in ready:
            _apply(_linear_if_last(layer, last), tensors)
        waiting = [layer for layer in waiting if layer not in ready]
    logits = keras.layers.Activation("linear", dtype="float32", name="logits_float32")
    return keras.Model(image, logits(tensors[last, 0]))


def _entries(description: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str, str]:
    """Give the layers, each with name and inputs, and the names of input and output."""
    kind, config = description.get("class_name"), description.get("config")
    if kind == "Sequential" and isinstance(config, Mapping):
        layers = [dict(layer) for layer in config["layers"]]
        if layers[0]["class_name"] != "InputLayer":
            shape = layers[0]["config"].get("batch_input_shape", [None])
            entry = {"name": "image", "batch_input_shape": shape}
            layers.insert(0, {"class_name": "InputLayer", "config": entry})
        for layer in layers:
            layer["name"] = layer["config"]["name"]
        for before, layer in itertools.pairwise(layers):
            layer["inbound_nodes"] = [[[before["name"], 0, 0, {}]]]
        return layers, layers[0]["name"], layers[-1]["name"]
    if kind not in ("Functional", "Model") or not isinstance(config, Mapping):
        raise ModelError(
            "Only functional and sequential models can be imported, for the others "
            f"are described by code alone. Received: {kind!r}."
        )
    inputs, outputs = config["input_layers"], config["output_layers"]
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(
            "A model must take one image and give one map. Received: "
            f"{len(inputs)} inputs and {len(outputs)} outputs."
        )
    return list(config["layers"]), inputs[0][0], outputs[0][0]


def _calls(layer: Mapping[str, Any]) -> list[Any]:
    """Give what the one call of a layer reads: [name, node, output, arguments]."""
    nodes = layer["inbound_nodes"]
    if len(nodes) != 1:
        raise ModelError(
            f"Each layer must be used once. Received: {layer['name']!r}, used "
            f"{len(nodes)} times."
        )
    (node,) = nodes
    return [node] if isinstance(node[0], str) else list(node)


def _places(layer: Mapping[str, Any]) -> list[Place]:
    """Give the tensors that a layer reads, among them the mask of an unpooling."""
    places = []
    for call in _calls(layer):
        places.append((call[0], call[2]))
        mask = (call[3] if len(call) > 3 else {}).get("mask")
        if mask is not None:
            places.append((mask[0], mask[2]))
    return places


def _apply(layer: Mapping[str, Any], tensors: dict[Place, Any]) -> None:
    """Call a layer and keep what it gives."""
    name, inputs = layer["name"], [tensors[place] for place in _places(layer)]
    class_name = layer.get("registered_name") or layer["class_name"]
    if class_name == "TFOpLambda":
        outputs = _apply_operation(layer, inputs)
    else:
        made = read_layer(class_name, {**layer["config"], "name": name})
        if isinstance(made, MaxUnpooling2D):
            _require_partner(made, inputs)
        single = len(inputs) == 1 and not isinstance(made, keras.layers.Concatenate)
        outputs = [made(inputs[0] if single else inputs)]
    for index, tensor in enumerate(outputs):
        tensors[name, index] = tensor


def _apply_operation(layer: Mapping[str, Any], inputs: Sequence[Any]) -> list[Any]:
    function = layer["config"].get("function")
    arguments = _calls(layer)[0][3]
    if function == "nn.max_pool_with_argmax":
        return list(read_pooling(layer["name"].replace(".", "_"), arguments)(*inputs))
    if function == "cast" and inputs[0].dtype == "uint8":
        return [inputs[0]]  # the places of a pooling stay whole numbers
    raise ModelError(
        f"The operation {function!r} of {layer['name']!r} cannot be imported; known "
        "are nn.max_pool_with_argmax, and cast of its places. Use a layer for it."
    )


def _require_partner(unpooling: MaxUnpooling2D, inputs: Sequence[Any]) -> None:
    """Check that the places come from a pooling with the same windows."""
    pooling = inputs[1]._keras_history.operation if len(inputs) == 2 else None
    geometry = ("pool_size", "strides", "padding")
    if not isinstance(pooling, MaxPoolingWithIndices) or any(
        getattr(pooling, key) != getattr(unpooling, key) for key in geometry
    ):
        raise ModelError(
            f"{unpooling.name!r} must unpool by the windows of the pooling that its "
            "mask comes from."
        )


def _linear_if_last(layer: Mapping[str, Any], last: str) -> Mapping[str, Any]:
    """Leave out the softmax or sigmoid of the last layer."""
    if layer["name"] != last:
        return layer
    config, final = layer["config"], ("softmax", "sigmoid")
    if layer["class_name"] == "Softmax":
        return {**layer, "class_name": "Activation", "config": {"activation": "linear"}}
    if config.get("activation") in final:
        return {**layer, "config": {**config, "activation": "linear"}}
    return layer
