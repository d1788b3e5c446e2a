"""Each family's numbers are those of Keras' own preprocessing."""

import keras
import numpy as np
import pytest

from defectkeras.models.encoders.families import ENCODERS


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("resnet50", keras.applications.resnet),
        ("xception", keras.applications.xception),
        ("mobilenet_v2", keras.applications.mobilenet_v2),
    ],
)
def test_scale_and_offsets_are_those_of_keras(name, module):
    family = ENCODERS[name]
    image = np.random.default_rng(2).random((2, 3, 4, 3))
    found = image * family.scale + np.array(family.offsets_rgb)
    if family.channels == "bgr":
        found = found[..., ::-1]
    expected = module.preprocess_input(255 * image)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
