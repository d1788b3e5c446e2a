"""A model that begins with the weights of another one of the same architecture."""

import keras

from defectkeras.core.errors import ModelError
from defectkeras.models.layers import MeanProbability


def inherit_weights(model: keras.Model, parent: keras.Model) -> tuple[str, ...]:
    """Copy the weights of all layers that are the same.

    Args:
        model: Of one output, built by the builder of the parent; changed in place.
        parent: Of an ensemble its first member is taken.

    Returns:
        Names of the layers that stay as they are, since their shapes differ: the head,
        where the number of classes does.

    Raises:
        ModelError: When the architectures differ in more than some shapes.
    """
    if any(isinstance(layer, MeanProbability) for layer in parent.layers):
        parent = next(x for x in parent.layers if isinstance(x, keras.Model))
    own = [layer for layer in model.layers if layer.weights]
    others = [layer for layer in parent.layers if layer.weights]
    if [type(layer) for layer in own] != [type(layer) for layer in others]:
        raise ModelError(
            "A model must have the layers of the one that it begins from. Received: "
            f"{len(own)} layers with weights, and {len(others)}. Leave the "
            "architecture and its arguments as they are."
        )
    changed = []
    for layer, other in zip(own, others, strict=True):
        weights = other.get_weights()
        if [w.shape for w in weights] == [tuple(w.shape) for w in layer.weights]:
            layer.set_weights(weights)
        else:
            changed.append(layer.name)
    return tuple(changed)
