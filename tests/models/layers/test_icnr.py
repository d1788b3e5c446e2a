"""A sub-pixel convolution that begins as nearest neighbors."""

import keras
import numpy as np
import pytest

from defectkeras.models.layers import ICNR, DepthToSpace2D


@pytest.mark.parametrize("factor", [2, 3])
def test_subpixel_convolution_begins_as_convolution_and_nearest(factor):
    """Three outputs, for which tiling and repeating differ."""
    image = np.random.default_rng(2).normal(size=(2, 5, 7, 4)).astype(np.float32)
    base = keras.initializers.GlorotUniform(seed=7)
    spread = keras.layers.Conv2D(
        3 * factor**2, 3, padding="same", kernel_initializer=ICNR(base, factor)
    )(image)
    plain = keras.layers.Conv2D(3, 3, padding="same", kernel_initializer=base)(image)
    np.testing.assert_allclose(
        DepthToSpace2D(factor)(spread),
        keras.layers.UpSampling2D(factor)(plain),
        atol=1e-6,
    )


def test_config_makes_the_same_initializer():
    initializer = ICNR(keras.initializers.HeNormal(seed=3), factor=2)
    again = keras.initializers.deserialize(keras.initializers.serialize(initializer))
    shape = (3, 3, 5, 8)
    np.testing.assert_array_equal(initializer(shape), again(shape))


def test_number_of_channels_must_fit():
    with pytest.raises(ValueError, match=r"multiple of 4.*Received: 6"):
        ICNR()((3, 3, 5, 6))
