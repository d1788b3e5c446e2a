"""Every way of doubling a map: shape, channels, names, and what it computes."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.upsampling import UPSAMPLING_METHODS, upsample

WITHOUT_INDICES = sorted(set(UPSAMPLING_METHODS) - {"max_unpooling"})


def build(method, filters, channels=6):
    x = keras.Input((None, None, channels))
    return keras.Model(x, upsample(x, method, filters=filters, name="up"))


@pytest.mark.parametrize("method", WITHOUT_INDICES)
@pytest.mark.parametrize("filters", [3, 6, 8])
def test_size_doubles_and_channels_are_as_asked(method, filters):
    model = build(method, filters)
    assert model.output_shape == (None, None, None, filters)
    assert model(np.ones((2, 3, 5, 6))).shape == (2, 6, 10, filters)
    assert model.get_layer("up")


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("bed_of_nails", 6 * 3 + 3),
        ("nearest", 6 * 3 + 3),
        ("bilinear", 6 * 3 + 3),
        ("transposed", 4 * 6 * 3 + 3),
        ("subpixel", 9 * 6 * 4 * 3 + 4 * 3),
    ],
)
def test_parameters(method, parameters):
    assert build(method, filters=3).count_params() == parameters


@pytest.mark.parametrize("method", ["bed_of_nails", "nearest", "bilinear"])
def test_no_weights_where_the_channels_stay(method):
    assert build(method, filters=6).count_params() == 0


def test_unknown_method_names_the_nearest():
    with pytest.raises(ModelError, match="Did you mean 'bilinear'"):
        build("billinear", filters=3)
