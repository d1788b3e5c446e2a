"""Float64 is nearer to the truth than float32, and the same network."""

import keras
import numpy as np
import pytest

from defectkeras.models.build import build_model
from defectkeras.models.layers import MaxPoolingWithIndices, MaxUnpooling2D
from defectkeras.registry.rounding import in_float64, limit_of, measure_rounding

IMAGE = np.random.default_rng(1).random((1, 32, 48, 1)).astype(np.float32)


def test_a_convolution_is_that_of_numpy():
    image = keras.Input((None, None, 1))
    model = keras.Model(image, keras.layers.Conv2D(3, 1)(image))
    kernel, bias = (w.astype(np.float64) for w in model.get_weights())
    expected = IMAGE.astype(np.float64) @ kernel[0, 0] + bias
    exact = np.asarray(in_float64(model)(IMAGE))
    assert exact.dtype == np.float64
    np.testing.assert_allclose(exact, expected, rtol=1e-14)
    assert np.abs(np.asarray(model(IMAGE)) - expected).max() > 1e-10


def test_layers_of_ours_and_models_within_it_are_taken_along():
    inner_image = keras.Input((None, None, 1))
    pooled, places = MaxPoolingWithIndices()(inner_image)
    inner = keras.Model(inner_image, MaxUnpooling2D()([pooled, places]))
    image = keras.Input((None, None, 1))
    norm = keras.layers.BatchNormalization()(inner(image))
    model = keras.Model(image, keras.layers.Conv2D(2, 3, padding="same")(norm))
    exact = np.asarray(in_float64(model)(IMAGE))
    assert exact.dtype == np.float64
    np.testing.assert_allclose(model(IMAGE), exact, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_unet_is_the_same_up_to_its_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = build_model("unet", num_classes=3, filters=4)
    finally:
        keras.config.set_dtype_policy("float32")
    exact = np.asarray(in_float64(model)(IMAGE))
    assert exact.dtype == np.float64
    atol = 1e-5 if policy == "float32" else 0.1
    np.testing.assert_allclose(model(IMAGE), exact, atol=atol)


def test_measured_differences():
    exact = np.zeros((2, 4, 2))
    exact[..., 0] = 1.0
    found = exact.copy()
    found[0, 0] = 0.25, 0.75
    off = measure_rounding(exact, {"tiles": found, "same": exact})
    assert off["tiles"] == {
        "largest_difference": 0.75,
        "mean_difference": 2 * 0.75 / exact.size,
        "class_agreement": 7 / 8,
    }
    assert off["same"]["largest_difference"] == 0


def test_the_limit_is_that_of_float32():
    assert limit_of(0.0) == 1e-6
    assert limit_of(1e-5) == pytest.approx(4e-5)
