"""Monte-Carlo dropout: how sure a model is, from how much its samples differ.

References:
    Y. Gal, Z. Ghahramani, Dropout as a Bayesian Approximation, ICML 2016,
    https://arxiv.org/abs/1506.02142.
    A. Kendall, V. Badrinarayanan, R. Cipolla, Bayesian SegNet, BMVC 2017,
    https://doi.org/10.5244/C.31.57
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from defectkeras.core.errors import ModelError
from defectkeras.models.layers.dropout import MonteCarloDropout


@dataclass(frozen=True, eq=False)
class MonteCarloPrediction:
    """What the samples of a model say together.

    Attributes:
        mean: (N, H, W, K) float32, the mean probability.
        deviation: (N, H, W, K) float32, its standard deviation over the samples.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]


def predict_monte_carlo(
    model: keras.Model, images: Any, *, num_samples: int = 30, seed: int = 0
) -> MonteCarloPrediction:
    """Predict several times with other features dropped each time.

    Normalizations use their averages, as in every prediction. The same seed gives
    the same samples; the model is left as it was.

    Args:
        model: (B, H, W, C) to logits (B, H, W, K), with MonteCarloDropout.
        images: (N, H, W, C), normalized.
        num_samples: Number of predictions, at least 1.
        seed: Decides which features are dropped.

    Returns:
        Mean and standard deviation of the probabilities: of a sigmoid for K = 1,
        else of a softmax.

    Raises:
        ModelError: When the model has no MonteCarloDropout.
        ValueError: When `num_samples` is below 1.
    """
    if num_samples < 1:
        raise ValueError(
            f"`num_samples` must be at least 1. Received: num_samples={num_samples}."
        )
    activate = ops.sigmoid if model.output_shape[-1] == 1 else ops.softmax
    total, squares = 0.0, 0.0
    with _sampling(model, seed):
        for _ in range(num_samples):
            logits = model(images, training=False)
            sample = ops.convert_to_numpy(activate(logits)).astype(np.float64)
            total, squares = total + sample, squares + sample**2
    mean = np.asarray(total / num_samples)
    variance = np.maximum(squares / num_samples - mean**2, 0.0)
    return MonteCarloPrediction(
        mean.astype(np.float32), np.sqrt(variance).astype(np.float32)
    )


@contextlib.contextmanager
def _sampling(model: keras.Model, seed: int) -> Iterator[None]:
    """Keep the dropout on, with seeds of its own, and restore everything."""
    layers = [x for x in model.layers if isinstance(x, MonteCarloDropout)]
    if not layers:
        raise ModelError(
            f"{model.name} must have dropout to be sampled, but has none. Build it "
            "with bayesian=True."
        )
    states = [layer.seed_generator.state for layer in layers]
    before = [ops.convert_to_numpy(state) for state in states]
    seeds = np.random.SeedSequence(seed).generate_state(len(layers))
    try:
        for layer, state, layer_seed in zip(layers, states, seeds, strict=True):
            state.assign(np.array([layer_seed, 0], dtype=np.uint32))
            layer.sampling = True
        yield
    finally:
        for layer, state, value in zip(layers, states, before, strict=True):
            layer.sampling = False
            state.assign(value)
