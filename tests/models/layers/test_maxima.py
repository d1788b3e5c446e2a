"""Codes of maxima, and the two directions between images and windows."""

import numpy as np
import pytest
import tensorflow as tf

from defectkeras.models.layers.maxima import (
    code_dtype,
    first_maximum,
    flat_places,
    scatter,
    spread,
)
from defectkeras.models.layers.windows import Windows

WINDOWS = [
    Windows((2, 2), (2, 2), "same"),
    Windows((3, 2), (2, 1), "valid"),
    Windows((2, 1), (3, 2), "same"),
]
SIZE = (7, 9)


def draw(seed):
    return np.random.default_rng(seed).random((2, *SIZE, 3), dtype=np.float32)


def test_the_first_of_equal_cells_wins():
    cells = np.array([[1, 5, 2, np.nan], [3, 5, 2, 4], [3, 1, 2, np.nan]], "f")
    largest, codes = first_maximum(list(cells))
    np.testing.assert_array_equal(largest, [3, 5, 2, 4])
    np.testing.assert_array_equal(codes, [1, 0, 0, 1])
    assert (code_dtype(256), code_dtype(257)) == ("uint8", "int32")


@pytest.mark.parametrize("windows", WINDOWS, ids=str)
@pytest.mark.parametrize("adjoint", [True, False])
def test_spreading_by_codes_is_a_scatter_to_flat_places(windows, adjoint):
    values, codes = first_maximum(windows.cut(draw(1), fill=np.nan))
    found = spread(values, codes, windows, SIZE, adjoint=adjoint)
    places = flat_places(codes, windows, SIZE)
    np.testing.assert_allclose(found, scatter(values, places, SIZE), rtol=1e-6)


@pytest.mark.parametrize("windows", WINDOWS, ids=str)
def test_both_ways_to_the_gradient_agree(windows):
    values, codes = first_maximum(windows.cut(draw(1), fill=np.nan))
    slopes = []
    for adjoint in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(values)
            images = spread(values, codes, windows, SIZE, adjoint=adjoint)
        slopes.append(tape.gradient(images, values, output_gradients=draw(2)))
    np.testing.assert_array_equal(*slopes)
