"""Learnable bilinear upsampling against worked vectors and TensorFlow."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.models.layers import DiagonalConv2DTranspose
from defectkeras.models.layers.diagonal import bilinear_kernel


def draw(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("factor", "weights"),
    [(1, [1]), (2, [0.25, 0.75, 0.75, 0.25]), (3, np.array([1, 2, 3, 2, 1]) / 3)],
)
def test_kernel_is_that_of_the_paper(factor, weights):
    expected = np.outer(weights, weights)
    np.testing.assert_allclose(bilinear_kernel(factor), expected, rtol=1e-6)


def test_worked_vector():
    image = np.array([[1, 2], [3, 4]], dtype=np.float32)[None, :, :, None]
    expected = [
        [0.5625, 0.9375, 1.3125, 1.125],
        [1.125, 1.75, 2.25, 1.875],
        [1.875, 2.75, 3.25, 2.625],
        [1.6875, 2.4375, 2.8125, 2.25],
    ]
    np.testing.assert_allclose(DiagonalConv2DTranspose()(image)[0, :, :, 0], expected)


@pytest.mark.parametrize("factor", [2, 8])
def test_begins_as_bilinear_inside(factor):
    image = draw(2, 5, 6, 3)
    inside = (slice(None), slice(factor, -factor), slice(factor, -factor))
    expected = tf.image.resize(image, (5 * factor, 6 * factor)).numpy()[inside]
    result = DiagonalConv2DTranspose(factor)(image).numpy()[inside]
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_channels_do_not_mix_also_after_training():
    layer = DiagonalConv2DTranspose()
    image = draw(1, 4, 5, 3)
    layer(image)
    layer.kernel.assign(draw(4, 4, 3))
    together = layer(image).numpy()
    image[..., 1] = 0
    alone = layer(image).numpy()
    assert np.all(alone[..., 1] == 0)
    np.testing.assert_array_equal(alone[..., [0, 2]], together[..., [0, 2]])


def test_config_makes_the_same_layer_and_half_precision_stays():
    layer = DiagonalConv2DTranspose(4, name="up", dtype="mixed_bfloat16")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (again.factor, again.name) == (4, "up")
    result = again(draw(1, 3, 5, 2))
    assert (result.dtype, tuple(result.shape)) == ("bfloat16", (1, 12, 20, 2))
    assert again.kernel.dtype == "float32"
