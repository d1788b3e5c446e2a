"""Local response normalization against TensorFlow's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.models.layers import LocalResponseNormalization


@pytest.mark.parametrize("channels", [1, 3, 9])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_is_that_of_tensorflow(channels, size):
    image = np.random.default_rng(1).uniform(-2, 255, (2, 3, 4, channels))
    image = image.astype(np.float32)
    expected = tf.nn.local_response_normalization(
        image, depth_radius=size // 2, bias=1, alpha=2e-4 / size, beta=0.7
    )
    found = LocalResponseNormalization(size, alpha=2e-4, beta=0.7)(image)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_config_makes_the_same_layer():
    layer = LocalResponseNormalization(3, alpha=0.1, beta=0.2, name="lrn")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()


def test_size_must_be_odd():
    with pytest.raises(ValueError, match="odd"):
        LocalResponseNormalization(4)
