import keras
import numpy as np
from scipy.special import expit, softmax

from defectkeras.models.layers import MeanProbability


def test_softmax_is_the_mean(rng):
    logits = [rng.normal(0, 5, (2, 3, 5, 4)).astype(np.float32) for _ in range(3)]
    found = softmax(MeanProbability()(logits).numpy(), axis=-1)
    expected = np.mean([softmax(x, axis=-1) for x in logits], axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_sigmoid_is_the_mean_for_one_map(rng):
    logits = [rng.normal(0, 5, (2, 3, 5, 1)).astype(np.float32) for _ in range(3)]
    found = expit(MeanProbability()(logits).numpy())
    np.testing.assert_allclose(found, np.mean(expit(logits), axis=0), atol=1e-6)


def test_large_logits_stay_finite_under_float16():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = MeanProbability()
    finally:
        keras.config.set_dtype_policy(policy)
    logits = [np.full((1, 1, 1, 2), x, np.float32) for x in (-300.0, 300.0)]
    assert np.isfinite(layer(logits).numpy()).all()
    assert layer(logits).dtype == "float32"
    assert layer.compute_output_shape([(None, 3, 4, 2)] * 2) == (None, 3, 4, 2)
