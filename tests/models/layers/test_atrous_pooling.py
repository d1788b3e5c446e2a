"""Pooling at every pixel holds the strided pooling."""

import keras
import numpy as np
import pytest

from defectkeras.models.layers import AtrousMaxPooling2D


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_every_second_pixel_is_the_strided_pool(dtype):
    image = np.random.default_rng(1).normal(size=(2, 8, 12, 3)).astype(dtype)
    pool = keras.layers.MaxPooling2D(3, strides=2, padding="same", dtype=dtype)
    found = AtrousMaxPooling2D(3, dtype=dtype)(image)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found[:, ::2, ::2], pool(image))


def test_rate_reads_pixels_farther_apart():
    image = np.random.default_rng(1).normal(size=(1, 8, 12, 1)).astype(np.float32)
    apart = AtrousMaxPooling2D(3, rate=2)(image)
    for row in (0, 1):
        for column in (0, 1):
            near = AtrousMaxPooling2D(3)(image[:, row::2, column::2])
            np.testing.assert_array_equal(apart[:, row::2, column::2], near)


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match="pool_size=1"):
        AtrousMaxPooling2D(1)
