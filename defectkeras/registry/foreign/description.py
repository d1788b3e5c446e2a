"""What Keras 2 and Keras 3 write about a model, in one form."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from defectkeras.core.errors import ModelError

Table = Mapping[str, Any]

ONLY_IN_TRAINING = ("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise")
"""Layers that pass their input on otherwise."""


class Place(NamedTuple):
    """A tensor: the layer that gives it, in which call, and which of its outputs."""

    layer: str
    call: int
    output: int


@dataclass(frozen=True)
class Call:
    """A layer in use.

    Attributes:
        operands: What it takes in order: places, lists of places, and numbers.
        arguments: What else it is told by name; places, too.
    """

    operands: tuple[Any, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def places(self) -> list[Place]:
        """Give all tensors that it reads, in order."""
        return list(_places_in([*self.operands, *self.arguments.values()]))


@dataclass(frozen=True)
class LayerDescription:
    """A layer, an operation, or a model within the model.

    Attributes:
        name: Its own.
        class_name: Such as "Conv2D", "Addons>MaxUnpooling2D" or, for an operation,
            "tf.nn.relu" (Keras 2) or "ops.Relu" (Keras 3).
        plain_class_name: Without the package, which Keras names its weights by.
        config: Its arguments.
        calls: Where it is used.
        first_call: The number of the first of these.
        of_keras_3: Whether Keras 3 wrote it.
        graph: What is inside of a model.
    """

    name: str
    class_name: str
    plain_class_name: str
    config: Table
    calls: tuple[Call, ...]
    first_call: int = 0
    of_keras_3: bool = False
    graph: "Graph | None" = None

    @property
    def is_operation(self) -> bool:
        """Whether it is a function and not a layer."""
        return self.class_name.startswith(("tf.", "ops."))

    def names(self, prefix: str) -> set[str]:
        """Give what a user may call it: its name, its class, its path."""
        return {self.name, self.plain_class_name, path_of(prefix, self.name)}


@dataclass(frozen=True)
class Graph:
    """The layers of a functional or sequential model.

    Attributes:
        layers: All, the inputs among them.
        inputs: What it takes.
        outputs: What it gives.
        is_sequential: Whether it is one layer after the other, the first its input.
    """

    layers: tuple[LayerDescription, ...]
    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]
    is_sequential: bool = False

    def find(self, name: str) -> LayerDescription:
        """Give the layer of a name.

        Raises:
            ModelError: When there is none.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ModelError(f"The model must have the layer {name!r}, and has none.")


def path_of(prefix: str, name: str) -> str:
    """Name a layer so that no other is called alike, nor in a way that Keras refuses.

    Args:
        prefix: "" or that of the model around it, see `inside_of`.
        name: Its own name.

    Example:
        >>> path_of(inside_of("", "encoder"), "block/conv.1")
        'encoder__block_conv_1'
    """
    return (prefix + name).replace("/", "_").replace(".", "_")


def inside_of(prefix: str, name: str) -> str:
    """Give the prefix of the layers inside of a model."""
    return f"{prefix}{name}__"


def read_graph(description: Table, *, of_keras_3: bool = False) -> Graph:
    """Read a functional or sequential model, with all models inside of it.

    Args:
        description: {"class_name", "config"} as parsed JSON.
        of_keras_3: Whether Keras 3 wrote it; the text itself does not always tell.

    Raises:
        ModelError: When it is of another kind.
    """
    kind, config = description.get("class_name"), description.get("config")
    if kind == "Sequential" and isinstance(config, Mapping):
        return _read_sequential(config, of_keras_3=of_keras_3)
    if not _is_functional(description):
        raise ModelError(
            "Only functional and sequential models can be imported, for the others "
            f"are described by code alone. Received: {kind!r}."
        )
    config = description["config"]
    layers = [
        _read_layer(layer, layer["name"], _read_calls(layer), of_keras_3)
        for layer in config["layers"]
    ]
    outputs = _ends(config["output_layers"])
    used = {*outputs, *(p for x in layers for call in x.calls for p in call.places)}
    return Graph(
        tuple(_with_first_call(layer, used) for layer in layers),
        _ends(config["input_layers"]),
        outputs,
    )


def _with_first_call(layer: LayerDescription, used: set[Place]) -> LayerDescription:
    """Tell whether the calls are numbered from 1.

    To Keras 2 a model within the model is called when it is made, too, which is not
    written down.
    """
    last = max((place.call for place in used if place.layer == layer.name), default=0)
    return replace(layer, first_call=1) if last == len(layer.calls) > 0 else layer


def _is_functional(table: Table) -> bool:
    config = table.get("config")
    known = table.get("class_name") in ("Functional", "Model")
    return known and isinstance(config, Mapping) and "input_layers" in config


def _read_sequential(config: Table, *, of_keras_3: bool) -> Graph:
    tables = list(config["layers"])
    if not tables or tables[0]["class_name"] != "InputLayer":
        entry = {"name": "sequential_input", **_shape_of(tables)}
        tables.insert(0, {"class_name": "InputLayer", "config": entry})
    names = [table["config"]["name"] for table in tables]
    layers = [_read_layer(tables[0], names[0], (), of_keras_3)]
    for table, (before, name) in zip(
        tables[1:], itertools.pairwise(names), strict=True
    ):
        call = Call((Place(before, 0, 0),))
        layers.append(_read_layer(table, name, (call,), of_keras_3))
    first, last = Place(names[0], 0, 0), Place(names[-1], 0, 0)
    return Graph(tuple(layers), (first,), (last,), is_sequential=True)


def _shape_of(tables: list[Any]) -> Table:
    """Give the shape of the input where the first layer tells it."""
    first = tables[0]["config"] if tables else {}
    key = "batch_input_shape"
    return {key: first[key]} if key in first else {}


def _read_layer(
    table: Table, name: str, calls: tuple[Call, ...], of_keras_3: bool
) -> LayerDescription:
    plain = table["class_name"]
    class_name = table.get("registered_name") or plain
    config = table["config"]
    if plain == "TFOpLambda":
        class_name = f"tf.{config.get('function')}"
    elif plain == "Resizing" or (of_keras_3 and _is_function(table)):
        class_name = f"ops.{plain}"
        of_layer = ("dtype", "trainable") if plain == "Resizing" else ()
        told = {k: v for k, v in config.items() if k not in of_layer}
        calls = tuple(Call(c.operands, {**told, **c.arguments}) for c in calls)
    is_model = plain == "Sequential" or _is_functional(table)
    graph = read_graph(table, of_keras_3=of_keras_3) if is_model else None
    return LayerDescription(
        name,
        class_name,
        plain,
        config,
        calls,
        of_keras_3=of_keras_3,
        graph=graph,
    )


def _is_function(table: Table) -> bool:
    """Tell a function of Keras 3; an .h5 file does not name its module."""
    if "module" in table:
        return str(table["module"]).startswith("keras.src.ops.")
    return table["class_name"] != "InputLayer" and "trainable" not in table["config"]


def _read_calls(layer: Table) -> tuple[Call, ...]:
    """Read where a layer is used, in the form of Keras 3 or of Keras 2."""
    return tuple(
        _read_call(node["args"], node["kwargs"])
        if isinstance(node, Mapping)
        else _read_old_call([node] if isinstance(node[0], str) else node)
        for node in layer["inbound_nodes"]
    )


def _read_call(args: list[Any], kwargs: Table) -> Call:
    return Call(
        tuple(_read_value(value) for value in args),
        {key: _read_value(value) for key, value in kwargs.items()},
    )


def _read_value(value: Any) -> Any:
    """Read a place, a list of them, an array, or what JSON knows."""
    if isinstance(value, list):
        return [_read_value(item) for item in value]
    if isinstance(value, Mapping):
        kind, config = value.get("class_name"), value.get("config", {})
        if kind == "__keras_tensor__":
            return Place(*config["keras_history"])
        if kind in ("__tensor__", "__numpy__"):
            return config["value"]
    return value


def _read_old_call(tensors: list[Any]) -> Call:
    """Read [[layer, call, output, arguments], ...]."""
    operands, arguments = [], {}
    for name, call, output, *rest in tensors:
        is_constant = name == "_CONSTANT_VALUE"
        operands.append(output if is_constant else Place(name, call, output))
        for key, value in (rest[0] if rest else {}).items():
            arguments[key] = _read_old_value(value)
    return Call(tuple(operands), arguments)


def _read_old_value(value: Any) -> Any:
    """Read an argument, in which [layer, call, output] is a place."""
    if not isinstance(value, list):
        return value
    if len(value) == 3 and [type(item) for item in value] == [str, int, int]:
        return Place(*value)
    return [_read_old_value(item) for item in value]


def _ends(value: Any) -> tuple[Place, ...]:
    """Read the places of inputs or outputs: one, or a list."""
    if not isinstance(value, list):
        raise ModelError(
            "The inputs and outputs of a model must be a list. Received: "
            f"{type(value).__name__} {value}."
        )
    places = [value] if value and isinstance(value[0], str) else value
    return tuple(Place(*place[:3]) for place in places)


def _places_in(values: list[Any]) -> Any:
    for value in values:
        if isinstance(value, Place):
            yield value
        elif isinstance(value, list):
            yield from _places_in(value)
