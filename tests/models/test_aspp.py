"""The pyramid has the published parameters and says where a rate is too large."""

import warnings

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.aspp import add_aspp, choose_rates


def count_trainable(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.mark.parametrize(
    ("separable", "parameters"), [(False, 15_535_104), (True, 3_019_776)]
)
def test_parameters(separable, parameters):
    x = keras.Input((None, None, 2048))
    model = keras.Model(x, add_aspp(x, (6, 12, 18), separable=separable))
    assert count_trainable(model) == parameters
    assert model.output_shape == (None, None, None, 256)
    kinds = {type(layer).__name__ for layer in model.layers}
    assert ("DepthwiseConv2D" in kinds) == separable


def test_without_the_image_branch_far_pixels_do_not_matter():
    x = keras.Input((None, None, 8))
    maps = np.random.default_rng(1).normal(size=(2, 12, 40, 8)).astype(np.float32)
    maps[1, :, :30] = maps[0, :, :30]
    for image_pooling in (True, False):
        model = keras.Model(
            x, add_aspp(x, (2, 4), image_pooling=image_pooling, filters=6)
        )
        first, second = model(maps)[:, :, :26].numpy()
        assert np.allclose(first, second, atol=1e-6) == (not image_pooling)


def test_separable_branch_has_an_activation_between_its_parts():
    x = keras.Input((None, None, 8))
    model = keras.Model(x, add_aspp(x, (2,), separable=True, filters=6))
    assert model.get_layer("aspp_rate_2_depthwise_relu")


def test_rates_are_the_published_ones_by_default():
    assert choose_rates(None, 16, (None, None, 1)) == (6, 12, 18)
    assert choose_rates(None, 8, (None, None, 1)) == (12, 24, 36)


def test_rate_beyond_the_map_is_warned_of():
    with pytest.warns(UserWarning, match=r"\[18\] reach beyond the map of 16 px"):
        choose_rates(None, 16, (256, 512, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choose_rates(None, 16, (320, 512, 1))


@pytest.mark.parametrize(
    ("rates", "output_stride", "message"),
    [
        (None, 32, "`output_stride` must be 8 or 16"),
        ((), 16, "`rates` must be different numbers"),
        ((0, 2), 16, "`rates`"),
        ((6, 6), 16, "`rates`"),
    ],
)
def test_bad_rates_are_told(rates, output_stride, message):
    with pytest.raises(ModelError, match=message):
        choose_rates(rates, output_stride, (None, None, 1))
