"""What becomes of grey levels before the first layer."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.adaptation import Adaptation


def test_each_channel_is_the_scaled_grey_image():
    image = keras.Input((None, None, 1))
    adaptation = Adaptation(scale=(2.0,), offset=(-1.0, 0.0, 3.0))
    model = keras.Model(image, adaptation.adapt(image, channels=3))
    grey = np.random.default_rng(1).random((1, 4, 5, 1), dtype=np.float32)
    np.testing.assert_allclose(model(grey), 2 * grey + [-1, 0, 3], rtol=1e-6)
    assert Adaptation().adapt(image, channels=1) is image


def test_numbers_that_do_not_fit_are_refused():
    image = keras.Input((None, None, 1))
    with pytest.raises(ModelError, match=r"scale must be one number.* 3 .*: 2"):
        Adaptation(scale=(1.0, 2.0)).adapt(image, channels=3)
    with pytest.raises(ModelError, match=r"scale must be the grey level.*: 0"):
        Adaptation(scale=(0.0,))
