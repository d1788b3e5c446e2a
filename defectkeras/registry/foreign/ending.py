"""The softmax or sigmoid at the end of a described model.

It is left out, for a model here gives logits.
"""

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.description import (
    ONLY_IN_TRAINING,
    Call,
    Graph,
    LayerDescription,
    Place,
    inside_of,
    path_of,
)

_KINDS = ("softmax", "sigmoid")
_CHANGE_PROBABILITIES = (
    *("UpSampling2D", "Resizing", "Resize", "resize", "Cropping2D"),
    *("ZeroPadding2D", "AveragePooling2D", "Reshape", "Average"),
)


def find_last_activation(graph: Graph, skip_layers: tuple[str, ...] = ()) -> str | None:
    """Find the layer that makes probabilities of the logits.

    Args:
        graph: With one output.
        skip_layers: Names or classes of layers that are left out.

    Returns:
        The path of the layer that is a softmax or sigmoid, or has one; None where the
        model gives logits.

    Raises:
        ModelError: When it cannot be left out: it is needed elsewhere, too, another
            layer changes what it gives, or it is not over the classes.
    """
    return _find(graph, graph.outputs[0], "", skip_layers, [])


def _find(
    graph: Graph,
    place: Place,
    prefix: str,
    skip: tuple[str, ...],
    hindrances: list[str],
) -> str | None:
    """Go back from a place to the first layer that computes something."""
    layer = graph.find(place.layer)
    if not layer.calls:  # an input
        return None
    call = layer.calls[place.call - layer.first_call]
    is_skipped = bool(layer.names(prefix).intersection(skip))
    changes = _short(layer) in _CHANGE_PROBABILITIES and not is_skipped
    if len(layer.calls) > 1 or _count_reads(graph, place) > 1:
        hindrances = [*hindrances, f"{layer.name!r} is used elsewhere, too"]
    if changes:
        hindrances = [*hindrances, f"{layer.name!r} comes after it"]
    if layer.graph is not None and not is_skipped:
        graph, place = layer.graph, layer.graph.outputs[place.output]
        return _find(graph, place, inside_of(prefix, layer.name), skip, hindrances)
    if changes or is_skipped or _passes_on(layer):
        return _find(graph, call.places[0], prefix, skip, hindrances)
    is_last = _is_removable(layer, call, hindrances)
    return path_of(prefix, layer.name) if is_last else None


def _is_removable(layer: LayerDescription, call: Call, hindrances: list[str]) -> bool:
    """Tell a softmax or sigmoid; one that is needed is refused."""
    if not _is_activated(layer):
        return False
    axis = _axis(layer, call)
    if axis not in (-1, 3, [-1], [3]):
        hindrances = [*hindrances, f"it is over the axis {axis}"]
    if hindrances:
        raise ModelError(
            f"The softmax or sigmoid of {layer.name!r} must be the end of the model, "
            f"over its classes, to be left out for logits; but {hindrances[0]}. Save a "
            "model that ends so."
        )
    return True


def _count_reads(graph: Graph, place: Place) -> int:
    calls = [call for layer in graph.layers for call in layer.calls]
    return graph.outputs.count(place) + sum(x.places.count(place) for x in calls)


def _short(layer: LayerDescription) -> str:
    """Give the name of a layer's class, or of a function, without its package."""
    return layer.class_name.rpartition(".")[2]


def _passes_on(layer: LayerDescription) -> bool:
    is_linear = layer.config.get("activation") == "linear"
    return (
        _short(layer).lower() == "cast"
        or _short(layer) in ONLY_IN_TRAINING
        or (layer.class_name == "Activation" and is_linear)
    )


def _is_activated(layer: LayerDescription) -> bool:
    is_activation = layer.is_operation or layer.class_name == "Softmax"
    if is_activation and _short(layer).lower() in _KINDS:
        return True
    return layer.config.get("activation") in _KINDS


def _axis(layer: LayerDescription, call: Call) -> object:
    """Give what a softmax is over; -1 where it is not told."""
    told = call.arguments if layer.is_operation else layer.config
    is_softmax = _short(layer).lower() == "softmax"
    axis = told.get("axis") if is_softmax else None
    return -1 if axis is None else axis
