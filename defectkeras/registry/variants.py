"""The variants of a version, whose spread tells how sure it is."""

from functools import partial
from typing import Literal

import keras
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import PredictFn
from defectkeras.core.errors import ModelError
from defectkeras.models.layers import MeanProbability, MonteCarloDropout
from defectkeras.models.monte_carlo import predict_monte_carlo
from defectkeras.registry.load import load_model
from defectkeras.registry.saved_model.graph import class_probabilities
from defectkeras.registry.version import ModelVersion

DROPOUT_PASSES = 8

Floats = NDArray[np.float32]


def load_variants(
    version: ModelVersion, kind: Literal["members", "dropout"]
) -> tuple[PredictFn, ...]:
    """Load the members of an ensemble, or passes with other features dropped.

    A pass drops the same features of every batch of tiles, and gives the same each
    time it is asked.

    Args:
        version: From `ModelRegistry.resolve`.
        kind: Which variants.

    Returns:
        One function per member, or `DROPOUT_PASSES` of them, each from normalized
        tiles (N, T, T, 1) to probabilities (N, T, T, K).

    Raises:
        ModelError: When the version is no ensemble, or has no dropout that can stay
            on.
        RegistryError: When a file is damaged.
    """
    model = load_model(version)
    if kind == "dropout":
        if not any(isinstance(layer, MonteCarloDropout) for layer in model.layers):
            raise ModelError(
                f"{version.reference} must have dropout that can stay on, and has "
                "none. Train one that has, such as a Bayesian SegNet."
            )
        return tuple(partial(_drop, model, seed) for seed in range(DROPOUT_PASSES))
    if not any(isinstance(layer, MeanProbability) for layer in model.layers):
        raise ModelError(
            f"{version.reference} must be an ensemble to have members, and is one "
            "network. Train an ensemble with: defectkeras train SPEC --folds 5."
        )
    members = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return tuple(partial(_ask, member) for member in members)


def _ask(member: keras.Model, tiles: Floats) -> Floats:
    """Give the probabilities of a member."""
    probabilities = class_probabilities(member(tiles, training=False))
    return np.asarray(keras.ops.convert_to_numpy(probabilities))


def _drop(model: keras.Model, seed: int, tiles: Floats) -> Floats:
    """Give the probabilities of one pass with dropout."""
    mean = predict_monte_carlo(model, tiles, num_samples=1, seed=seed).mean
    if mean.shape[-1] == 1:
        return np.concatenate([1 - mean, mean], axis=-1)
    return mean
