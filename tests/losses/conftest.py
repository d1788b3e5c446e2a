"""What the tests of all losses share: a random batch and exact probabilities."""

import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED


@pytest.fixture
def random_batch():
    """Give class maps with unknown pixels, and logits."""

    def make(seed, num_classes, shape=(2, 3, 5)):
        rng = np.random.default_rng(seed)
        class_map = rng.integers(NOT_ANNOTATED, max(num_classes, 2), shape)
        return class_map, rng.normal(0, 3, (*shape, num_classes))

    return make


@pytest.fixture
def probabilities():
    """Give (B, H, W, K) of K >= 2 classes, in double precision."""

    def softmax(logits):
        if logits.shape[-1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    return softmax


@pytest.fixture
def logits_of():
    """Give the logits (1, 1, N, 1) of probabilities in a row."""

    def inverse(*values):
        p = np.array(values, dtype=float)
        return np.log(p / (1 - p)).reshape(1, 1, -1, 1)

    return inverse


@pytest.fixture
def softmax_form():
    """Write one map of logits as the two maps of a softmax."""
    return lambda z: np.concatenate([np.zeros_like(z), z], axis=-1)
