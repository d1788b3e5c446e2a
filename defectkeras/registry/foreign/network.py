"""A described model built again with Keras 3, for grey images of any size.

The last softmax or sigmoid is left out, for a model here gives logits.
"""

import math
from typing import Any

import keras

from defectkeras.core.errors import ModelError
from defectkeras.models.layers import MaxPoolingWithIndices, MaxUnpooling2D
from defectkeras.registry.foreign.adaptation import Adaptation
from defectkeras.registry.foreign.description import (
    ONLY_IN_TRAINING,
    Call,
    Graph,
    LayerDescription,
    Place,
    inside_of,
    path_of,
)
from defectkeras.registry.foreign.ending import find_last_activation
from defectkeras.registry.foreign.layers import read_layer
from defectkeras.registry.foreign.operations import read_operation

_ROOT = ""


def build_network(graph: Graph, adaptation: Adaptation | None = None) -> keras.Model:
    """Build a model from its description.

    Args:
        graph: From `read_graph`.
        adaptation: What becomes of grey levels.

    Returns:
        (B, H, W, 1) of any size to logits (B, H, W, K) float32, without weights.

    Raises:
        ModelError: When a layer is not known, or the model has not one image as input
            and one map as output.
    """
    adaptation = adaptation or Adaptation()
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ModelError(
            "A model must take one image and give one map. Received: "
            f"{len(graph.inputs)} inputs and {len(graph.outputs)} outputs. Of several "
            "save one: keras.Model(model.input, model.outputs[0])."
        )
    *size, channels = _shape(graph)
    image = keras.Input((None, None, 1), name="image")
    last = find_last_activation(graph, adaptation.skip_layers)
    builder = _Builder(adaptation.skip_layers, last)
    # The size of the training tells how often a resizing magnifies.
    builder.run(graph, [keras.Input((*size, channels))], _ROOT)
    (map_,) = builder.run(graph, [adaptation.adapt(image, channels)], _ROOT)
    builder.require_skipped()
    logits = keras.layers.Activation("linear", dtype="float32", name="logits_float32")
    return keras.Model(image, logits(map_))


def _shape(graph: Graph) -> tuple[int | None, int | None, int]:
    """Give height, width and channels of the input."""
    config = graph.find(graph.inputs[0].layer).config
    shape = config.get("batch_input_shape") or config.get("batch_shape") or []
    if len(shape) != 4 or not isinstance(shape[-1], int):
        raise ModelError(
            "The input must be one image and tell its channels, as in "
            f"keras.Input((None, None, 1)). Received: the shape {shape}."
        )
    return shape[1], shape[2], shape[3]


class _Builder:
    """Makes the layers of a description, and calls one after the other."""

    def __init__(self, skip_layers: tuple[str, ...], last: str | None) -> None:
        self._skip = skip_layers
        self._seen: set[str] = set()
        self._last = last
        self._made: dict[str, keras.layers.Layer | None] = {}
        self._owners: dict[str, LayerDescription] = {}

    def run(self, graph: Graph, inputs: list[Any], prefix: str) -> list[Any]:
        """Give the outputs of a graph."""
        if len(inputs) != len(graph.inputs):
            raise ModelError(
                f"The model {prefix.removesuffix('__')!r} must take "
                f"{len(graph.inputs)} tensors. Received: {len(inputs)}."
            )
        tensors = dict(zip(graph.inputs, inputs, strict=True))
        waiting = [
            (layer, number, call)
            for layer in graph.layers
            for number, call in enumerate(layer.calls, start=layer.first_call)
            if layer.class_name != "InputLayer"
        ]
        while waiting:
            ready = [w for w in waiting if all(p in tensors for p in w[2].places)]
            if not ready:
                names = ", ".join(layer.name for layer, _, _ in waiting)
                raise ModelError(f"The layers {names} have inputs that are not there.")
            for layer, number, call in ready:
                inputs = [tensors[place] for place in call.places]
                outputs = self._apply(layer, number, call, inputs, prefix)
                for index, tensor in enumerate(outputs):
                    tensors[Place(layer.name, number, index)] = tensor
            waiting = [w for w in waiting if w not in ready]
        return [tensors[place] for place in graph.outputs]

    def require_skipped(self) -> None:
        """Check that everything that should be left out was there."""
        for name in self._skip:
            if name not in self._seen:
                raise ModelError(
                    f"The model must have a layer {name!r} to leave out, by its name "
                    "or its class, and has none."
                )

    def _apply(
        self,
        layer: LayerDescription,
        number: int,
        call: Call,
        inputs: list[Any],
        prefix: str,
    ) -> list[Any]:
        """Call a layer and give its outputs."""
        names = layer.names(prefix)
        self._seen |= names
        if names.intersection(self._skip):
            return inputs
        _require_plain(layer, call)
        if layer.graph is not None:
            return self.run(layer.graph, inputs, inside_of(prefix, layer.name))
        path = path_of(prefix, layer.name)
        if layer.is_operation and number:  # which may have other arguments
            path = f"{path}__{number}"
        if self._owners.setdefault(path, layer) is not layer:
            raise ModelError(
                f"Layers must have names of their own also when '/' and '.' are '_'. "
                f"Received twice: {path!r}."
            )
        if path not in self._made:
            final = path == self._last
            self._made[path] = _read(layer, call, inputs, path, final=final)
        made = self._made[path]
        return inputs if made is None else _call(made, inputs)


def _require_plain(layer: LayerDescription, call: Call) -> None:
    """Check that a layer or a model takes tensors alone, and is not in training."""
    if layer.is_operation:
        return
    if call.arguments.get("training") and layer.class_name not in ONLY_IN_TRAINING:
        raise ModelError(
            f"The layer {layer.name!r} must not be called with training=True, for then "
            "it computes with the statistics of the images at hand. Save the model "
            "without."
        )
    if len(call.places) < sum(_count(value) for value in call.operands):
        raise ModelError(
            f"The layer {layer.name!r} must take tensors of the model, and takes "
            "constants, too. Replace it before saving."
        )


def _count(value: Any) -> int:
    return sum(map(_count, value)) if type(value) is list else 1


def _read(
    layer: LayerDescription, call: Call, inputs: list[Any], path: str, *, final: bool
) -> keras.layers.Layer | None:
    """Make a layer; none where its input passes on, as at the last softmax."""
    if final and (layer.is_operation or layer.class_name == "Softmax"):
        return None
    if layer.is_operation:
        return read_operation(layer.class_name, path, call, inputs)
    config = {**layer.config, "name": path}
    if final:
        config["activation"] = "linear"
    return read_layer(layer.class_name, config, of_keras_3=layer.of_keras_3)


def _call(made: keras.layers.Layer, tensors: list[Any]) -> list[Any]:
    if isinstance(made, MaxUnpooling2D):
        _require_partner(made, tensors)
    single = len(tensors) == 1 and not isinstance(made, keras.layers.Concatenate)
    outputs = made(tensors[0] if single else tensors)
    if isinstance(made, keras.layers.PReLU | keras.layers.LayerNormalization):
        _require_any_size(made)
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _require_any_size(layer: keras.layers.Layer) -> None:
    """Check that a layer has not a weight for each pixel."""
    for weight in layer.weights:
        if math.prod(weight.shape) != weight.shape[-1]:
            raise ModelError(
                f"The layer {layer.name!r} must have one {weight.name!r} for each "
                "channel, for images are of any size. Received: the shape "
                f"{tuple(weight.shape)}. Train with shared_axes=[1, 2] or axis=-1."
            )


def _require_partner(unpooling: MaxUnpooling2D, inputs: list[Any]) -> None:
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
