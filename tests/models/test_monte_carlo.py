"""Monte-Carlo dropout: seeded, on only when asked for, and of the right spread."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.layers import MonteCarloDropout
from defectkeras.models.monte_carlo import predict_monte_carlo
from defectkeras.models.segnet_basic import build_segnet_basic

IMAGES = np.random.default_rng(1).random((2, 32, 48, 1), dtype=np.float32)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(2)
    return build_segnet_basic(num_classes=3, filters=4, bayesian=True)


def test_ordinary_prediction_is_without_chance(model):
    np.testing.assert_array_equal(model(IMAGES), model(IMAGES))


def test_samples_differ_by_seed_and_leave_no_trace(model):
    before = [v.numpy() for v in model.variables]
    first = predict_monte_carlo(model, IMAGES, num_samples=3, seed=1)
    again = predict_monte_carlo(model, IMAGES, num_samples=3, seed=1)
    other = predict_monte_carlo(model, IMAGES, num_samples=3, seed=2)
    np.testing.assert_array_equal(first.mean, again.mean)
    assert np.any(first.mean != other.mean)
    assert np.all(first.deviation >= 0)
    assert first.deviation.max() > 0
    np.testing.assert_allclose(first.mean.sum(axis=-1), 1, rtol=1e-5)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    np.testing.assert_array_equal(model(IMAGES), model(IMAGES))


def test_mean_and_deviation_of_a_known_model():
    """One dropped input of two states: probabilities of logits 0 and 2."""
    image = keras.Input((1, 1, 1))
    model = keras.Model(image, MonteCarloDropout(0.5)(image))
    found = predict_monte_carlo(model, np.ones((4000, 1, 1, 1)), num_samples=20)
    high = 1 / (1 + np.exp(-2))
    assert found.mean.mean() == pytest.approx((0.5 + high) / 2, abs=0.01)
    assert found.deviation.mean() == pytest.approx((high - 0.5) / 2, abs=0.01)


def test_a_model_without_dropout_is_told():
    model = build_segnet_basic(num_classes=2, filters=2)
    with pytest.raises(ModelError, match="bayesian=True"):
        predict_monte_carlo(model, IMAGES)


def test_number_of_samples_must_be_positive(model):
    with pytest.raises(ValueError, match="num_samples=0"):
        predict_monte_carlo(model, IMAGES, num_samples=0)
