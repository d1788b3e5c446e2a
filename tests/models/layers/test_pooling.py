"""Pooling at every pixel against a maximum filter."""

import keras
import numpy as np
import pytest

from defectkeras.models.layers import DilatedMaxPooling2D


@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_maximum_of_four_pixels(dilation):
    image = np.random.default_rng(1).normal(size=(2, 9, 7, 3)).astype(np.float32)
    near, far = slice(None, -dilation), slice(dilation, None)
    corners = [image[:, a, b] for a in (near, far) for b in (near, far)]
    pooled = DilatedMaxPooling2D(dilation)(image)
    np.testing.assert_array_equal(pooled, np.max(corners, axis=0))
    assert pooled.shape == DilatedMaxPooling2D(dilation).compute_output_shape(
        image.shape
    )


def test_every_second_value_is_that_of_the_pool_with_stride():
    image = np.random.default_rng(1).normal(size=(1, 8, 6, 2)).astype(np.float32)
    np.testing.assert_array_equal(
        DilatedMaxPooling2D()(image)[:, ::2, ::2], keras.layers.MaxPooling2D(2)(image)
    )


def test_config_makes_the_same_layer():
    layer = DilatedMaxPooling2D(4, name="pool")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (again.dilation, again.name) == (4, "pool")
    assert layer(keras.Input((None, 9, 3))).shape == (None, None, 5, 3)


def test_dilation_must_be_positive():
    with pytest.raises(ValueError, match=r"at least 1.*dilation=0"):
        DilatedMaxPooling2D(0)
