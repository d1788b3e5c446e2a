"""Operations counted in the graph, against a count by hand."""

import keras
import pytest

from defectkeras.models.cost import count_gflops_per_megapixel


def test_a_strided_convolution_is_counted_by_hand():
    """Per output pixel 2 * 9 * 1 * 40, and a quarter as many pixels; then the bias."""
    image = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(40, 3, strides=2, padding="same")(image)
    found = count_gflops_per_megapixel(keras.Model(image, x))
    assert found == pytest.approx((2 * 9 * 40 + 40) / 4 / 1e3)


def test_upsampling_without_weights_moves_values_only():
    image = keras.Input((None, None, 1))
    x = keras.layers.UpSampling2D(2)(image)
    assert count_gflops_per_megapixel(keras.Model(image, x)) < 1e-6
