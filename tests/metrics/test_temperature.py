"""A temperature against what probabilities were drawn from."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from defectkeras.metrics.temperature import fit_temperature, tempered_probabilities


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 4.0])
def test_temperature_that_the_classes_were_drawn_with_is_found(true_temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (1, 20000, 3))
    probabilities = softmax(logits[0] / true_temperature, axis=-1)
    ranks = (rng.random((20000, 1)) > probabilities.cumsum(axis=-1)).sum(axis=-1)
    assert fit_temperature(logits, ranks) == pytest.approx(true_temperature, rel=0.05)


def test_one_map_is_a_sigmoid():
    logits = np.linspace(-3, 3, 7)[np.newaxis, :, np.newaxis]
    found = tempered_probabilities(logits, 2.0)
    np.testing.assert_allclose(found[:, 1], expit(logits[0, :, 0] / 2))
    np.testing.assert_allclose(found.sum(axis=-1), 1)


def test_views_are_averaged_as_probabilities():
    logits = np.random.default_rng(1).normal(0, 5, (8, 11, 4))
    expected = softmax(logits / 1.7, axis=-1).mean(axis=0)
    np.testing.assert_allclose(tempered_probabilities(logits, 1.7), expected)


def test_certain_and_wrong_pixels_are_no_infinity():
    logits = np.array([[[300.0, 0.0], [0.0, 300.0]]], dtype=np.float32)
    assert 19 < fit_temperature(logits, np.array([1, 1])) <= 20


@pytest.mark.parametrize(("pixels", "classes"), [(3, 2), (0, 0)])
def test_bad_shapes_are_told(pixels, classes):
    with pytest.raises(ValueError, match=r"must be \(V, N, K\)"):
        fit_temperature(np.zeros((1, pixels, 2)), np.zeros(classes, int))
