"""A model whose probabilities are as sure as they are right."""

import keras

LAYER = "temperature"


def with_temperature(model: keras.Model, temperature: float) -> keras.Model:
    """Divide the logits of a model by a temperature.

    As a layer of the model it is in every file that is made of it, so that all
    engines give the same probabilities.

    Args:
        model: (B, H, W, C) to logits (B, H, W, K).
        temperature: Above 0.

    Returns:
        A model with the same weights, (B, H, W, C) to logits (B, H, W, K) float32.

    Example:
        >>> image = keras.Input((None, None, 1))
        >>> model = with_temperature(keras.Model(image, image), 2.0)
        >>> float(model(keras.ops.full((1, 1, 1, 1), 3.0))[0, 0, 0, 0])
        1.5
    """
    scale = keras.layers.Rescaling(1 / temperature, dtype="float32", name=LAYER)
    return keras.Model(model.inputs[0], scale(model.outputs[0]), name=model.name)
