"""Cross-entropy against worked values, slow loops and TensorFlow's own form."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.losses import CrossEntropy

TRUTH = np.array([[[1, 1, 0, 0]]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [(CrossEntropy((1.0, 8.0)), 1.3478811), (CrossEntropy(), 0.2695554)],
)
def test_worked_values(loss, expected, logits_of):
    value = loss(TRUTH, logits_of(0.9, 0.6, 0.3, 0.1))
    assert float(value) == pytest.approx(expected, abs=5e-7)


def test_weighted_form_is_that_of_tensorflow(random_batch):
    class_map, logits = random_batch(0, 1)
    class_map = np.abs(class_map)
    theirs = tf.nn.weighted_cross_entropy_with_logits(
        class_map[..., None].astype(float), logits, pos_weight=35.9012
    )
    ours = CrossEntropy((1.0, 35.9012))(class_map, logits)
    assert float(ours) == pytest.approx(float(np.mean(theirs)), rel=1e-6)


def test_smoothing_is_that_of_keras(random_batch):
    class_map, logits = random_batch(1, 4)
    class_map = np.abs(class_map)
    theirs = keras.losses.CategoricalCrossentropy(True, label_smoothing=0.15)
    ours = CrossEntropy(smoothing=0.15)(class_map, logits)
    expected = float(theirs(np.eye(4)[class_map], logits))
    assert float(ours) == pytest.approx(expected, rel=1e-5)


def slow_cross_entropy(p, class_map, weights, smoothing):
    terms = []
    num_classes = p.shape[-1]
    for place, true in np.ndenumerate(class_map):
        if true != NOT_ANNOTATED:
            term = 0.0
            for k in range(num_classes):
                share = (1 - smoothing) * (k == true) + smoothing / num_classes
                term -= weights[true] * share * math.log(p[(*place, k)])
            terms.append(term)
    return sum(terms) / len(terms) if terms else 0.0


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 10**6),
    num_classes=st.sampled_from([1, 2, 4]),
    smoothing=st.sampled_from([0.0, 0.05, 0.5]),
)
def test_equals_slow_loops(random_batch, probabilities, seed, num_classes, smoothing):
    class_map, logits = random_batch(seed, num_classes)
    weights = np.random.default_rng(seed).uniform(0, 9, max(num_classes, 2))
    assert float(CrossEntropy(weights, smoothing)(class_map, logits)) == pytest.approx(
        slow_cross_entropy(probabilities(logits), class_map, weights, smoothing),
        rel=1e-5,
    )


def test_slips_are_told(random_batch):
    with pytest.raises(ValueError, match="each of 4 classes"):
        CrossEntropy((1, 2))(*random_batch(7, 4))
    for smoothing in (-0.1, 1.0, math.nan):
        with pytest.raises(ValueError, match="below 1"):
            CrossEntropy(smoothing=smoothing)
