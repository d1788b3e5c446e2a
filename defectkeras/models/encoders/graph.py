"""A functional model's configuration as a graph that can be changed.

`model.get_config()["layers"]` lists the layers in the order of computation; each
entry has a name, a configuration, and the names of the layers that it reads.
`keras.Model.from_config` makes a model of it again.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

import keras

LayerConfig: TypeAlias = dict[str, Any]
"""One entry of `model.get_config()["layers"]`."""

# Keras numbers layers without a name through the whole program
AUTOMATIC_NAME = re.compile(
    r"(activation|add|batch_normalization|conv2d|multiply|re_lu)(_\d+)?"
)


def inbound(node: Any) -> Iterator[list[Any]]:
    """Give the [name, node, tensor] of each tensor that a layer reads.

    Args:
        node: `inbound_nodes` of a layer, or a part of it. What is given is the
            list in it, and can be changed.
    """
    if isinstance(node, dict) and node.get("class_name") == "__keras_tensor__":
        yield node["config"]["keras_history"]
    elif isinstance(node, dict):
        for part in node.values():
            yield from inbound(part)
    elif isinstance(node, list | tuple):
        for part in node:
            yield from inbound(part)


def rename_layers(config: dict[str, Any], *, input_name: str) -> dict[str, str]:
    """Give a model's automatic names numbers of its own, in place.

    Args:
        config: Of a functional model of one input and one output.
        input_name: New name of its input.

    Returns:
        Old name to new name, of every layer.
    """
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for layer in config["layers"]:
        name = layer["name"]
        match = AUTOMATIC_NAME.fullmatch(name)
        if layer["class_name"] == "InputLayer":
            names[name] = input_name
        elif match:
            counts[match[1]] += 1
            names[name] = f"{match[1]}_{counts[match[1]]}"
        else:
            names[name] = name
    _rename(config, names)
    return names


def prefix_layers(config: dict[str, Any], prefix: str) -> dict[str, str]:
    """Put a prefix before the name of every layer but the input.

    Args:
        config: Of a functional model of one input and one output, changed in place.
        prefix: Such as "encoder_".

    Returns:
        Old name to new name, of every layer.
    """
    names = {
        layer["name"]: layer["name"]
        if layer["class_name"] == "InputLayer"
        else prefix + layer["name"]
        for layer in config["layers"]
    }
    _rename(config, names)
    return names


def _rename(config: dict[str, Any], names: dict[str, str]) -> None:
    for layer in config["layers"]:
        layer["name"] = layer["config"]["name"] = names[layer["name"]]
        for history in inbound(layer["inbound_nodes"]):
            history[0] = names[history[0]]
    for end in ("input_layers", "output_layers"):
        config[end][0] = names[config[end][0]]


def insert_after_input(layers: list[LayerConfig], layer: keras.layers.Layer) -> None:
    """Let all that reads the input read a layer of it, in place.

    Args:
        layers: Of a functional model; the first is its input.
        layer: Takes the input.
    """
    image = layers[0]
    for reader in layers[1:]:
        for history in inbound(reader["inbound_nodes"]):
            if history[0] == image["name"]:
                history[0] = layer.name
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {
            "shape": image["config"]["batch_shape"],
            "dtype": image["config"]["dtype"],
            "keras_history": [image["name"], 0, 0],
        },
    }
    entry = dict(keras.saving.serialize_keras_object(layer))
    nodes = [{"args": (tensor,), "kwargs": {}}]
    layers.insert(1, {**entry, "name": layer.name, "inbound_nodes": nodes})
