"""Symmetric padding against NumPy."""

import keras
import numpy as np
import pytest

from defectkeras.models.layers import SymmetricPadding2D


@pytest.mark.parametrize("padding", [1, 3])
def test_pads_as_numpy_does(padding):
    image = np.random.default_rng(1).random((2, 5, 7, 3), dtype=np.float32)
    sides = (padding, padding)
    expected = np.pad(image, ((0, 0), sides, sides, (0, 0)), mode="symmetric")
    padded = SymmetricPadding2D(padding)(image)
    np.testing.assert_array_equal(padded, expected)


def test_output_shape_of_unknown_size():
    layer = SymmetricPadding2D(2)
    assert layer(keras.Input((None, 7, 3))).shape == (None, None, 11, 3)
    assert layer.compute_output_shape((4, 5, None, 3)) == (4, 9, None, 3)


def test_config_makes_the_same_layer():
    layer = SymmetricPadding2D(2, name="pad")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (again.padding, again.name) == (2, "pad")


def test_padding_must_be_positive():
    with pytest.raises(ValueError, match="at least 1"):
        SymmetricPadding2D(0)
