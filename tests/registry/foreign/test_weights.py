"""Weights by name or number, and weight normalization folded."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.weights import set_weights

KERNEL = np.random.default_rng(1).normal(size=(3, 2, 4, 5)).astype("f")
BIAS, GAIN = np.arange(5, dtype="f"), np.arange(1, 6, dtype="f")


@pytest.fixture
def model():
    image = keras.Input((None, None, 4))
    return keras.Model(image, keras.layers.Conv2D(5, (3, 2), name="conv")(image))


@pytest.mark.parametrize("names", [("kernel", "bias"), ("0", "1")])
def test_by_name_or_number(model, names):
    set_weights(model, {"conv": dict(zip(names, (KERNEL, BIAS), strict=True))})
    np.testing.assert_array_equal(model.get_layer("conv").kernel, KERNEL)
    np.testing.assert_array_equal(model.get_layer("conv").bias, BIAS)


@pytest.mark.parametrize(
    "names", [("g", "kernel", "bias"), ("g", "v", "bias"), ("0", "1", "layer/0")]
)
def test_weight_normalization_is_folded(model, names):
    arrays = dict(zip(names, (GAIN, KERNEL, BIAS), strict=True))
    set_weights(model, {"conv": arrays})
    kernel = np.asarray(model.get_layer("conv").kernel)
    lengths = np.linalg.norm(kernel.reshape(-1, 5), axis=0)
    np.testing.assert_allclose(lengths, GAIN, rtol=1e-6)
    np.testing.assert_allclose(
        kernel / GAIN * np.linalg.norm(KERNEL.reshape(-1, 5), axis=0), KERNEL, rtol=1e-5
    )
    np.testing.assert_array_equal(model.get_layer("conv").bias, BIAS)


def test_missing_and_misshapen_weights_are_told(model):
    with pytest.raises(ModelError, match=r"'conv' must have 'kernel'.*none"):
        set_weights(model, {})
    with pytest.raises(ModelError, match=r"'bias' of the shape \(5,\).*\(3,\)"):
        set_weights(model, {"conv": {"kernel": KERNEL, "bias": BIAS[:3]}})


def test_a_normalization_computes_with_what_was_saved():
    image = keras.Input((None, None, 2))
    model = keras.Model(image, keras.layers.Normalization(name="norm")(image))
    mean, variance = np.array([3.0, -1.0]), np.array([4.0, 0.25])
    arrays = {"mean": mean, "variance": variance, "count": np.array(7)}
    set_weights(model, {"norm": arrays})
    images = np.random.default_rng(2).random((1, 3, 5, 2), dtype=np.float32)
    expected = (images - mean) / np.sqrt(variance)
    np.testing.assert_allclose(model(images), expected, rtol=1e-5)


def test_quantized_weights_are_refused(model):
    quantized = {"kernel": KERNEL.astype("int8"), "bias": BIAS}
    with pytest.raises(ModelError, match=r"'kernel' as float32.*: int8. Save"):
        set_weights(model, {"conv": quantized})
