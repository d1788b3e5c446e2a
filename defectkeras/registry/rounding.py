"""How far rounding reaches: a network in float64, which others are held against.

Two engines that compute in float32 add in different orders, and so differ by some 1e-6
in probability, as Keras itself does from the exact result. Which of them is right, only
a computation in float64 tells.
"""

from collections.abc import Mapping

import keras
import numpy as np

from defectkeras.core.arrays import ProbabilityMap

AS_GOOD_AS_EXACT = 1e-6
ROUNDING_RATIO = 4
"""Largest errors of engines that round differently lie within such a ratio."""


def in_float64(model: keras.Model) -> keras.Model:
    """Give the same network, with the same weights, computed in float64.

    Args:
        model: A functional model, (B, H, W, 1) to logits (B, H, W, K); it is not
            changed, and models within it are taken along. Layers that compute in
            float32 under every policy stay as they are.
    """

    def copy(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, keras.Model):
            return in_float64(layer)
        return type(layer).from_config({**layer.get_config(), "dtype": "float64"})

    exact = keras.models.clone_model(model, clone_function=copy)
    exact.set_weights(model.get_weights())
    return exact


def limit_of(keras_off: float) -> float:
    """Give how far an engine in float32 may be off.

    Args:
        keras_off: Largest difference, in probability, of Keras from float64.

    Example:
        >>> limit_of(5e-6), limit_of(1e-8)
        (2e-05, 1e-06)
    """
    return max(AS_GOOD_AS_EXACT, ROUNDING_RATIO * keras_off)


def measure_rounding(
    exact: ProbabilityMap, found: Mapping[str, ProbabilityMap]
) -> dict[str, dict[str, float]]:
    """Tell how far each of several is off, for the card.

    Args:
        exact: (H, W, K), by `in_float64`.
        found: Name to (H, W, K).

    Returns:
        Name to the largest and the mean difference in probability, and the part of
        the pixels whose most probable class is the same.
    """
    return {
        name: {
            "largest_difference": float(np.abs(exact - given).max()),
            "mean_difference": float(np.abs(exact - given).mean()),
            "class_agreement": float(
                (exact.argmax(axis=-1) == given.argmax(axis=-1)).mean()
            ),
        }
        for name, given in found.items()
    }
