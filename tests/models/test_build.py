"""The table of architectures, and messages that name the nearest one."""

import keras
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.build import (
    ARCHITECTURE_FACTS,
    MODEL_BUILDERS,
    build_model,
    model_stride,
)


def test_every_architecture_has_its_facts():
    assert list(ARCHITECTURE_FACTS) == list(MODEL_BUILDERS)


def test_arguments_reach_the_builder():
    model = build_model(
        "defectsegnet", input_shape=(16, 24, 2), num_classes=3, variant="released"
    )
    assert model.input_shape == (None, 16, 24, 2)
    assert model.output_shape == (None, 16, 24, 3)


@pytest.mark.parametrize(
    ("architecture", "arguments", "message"),
    [
        ("DefectSegNet", {"num_classes": 2}, "Did you mean 'defectsegnet'"),
        ("defectsegnet", {"num_class": 2}, "Did you mean 'num_classes'"),
        ("defectsegnet", {}, "needs `num_classes`"),
        ("defectsegnet", {"num_classes": 2, "variant": "relased"}, "'released'"),
    ],
)
def test_slips_name_what_was_meant(architecture, arguments, message):
    with pytest.raises(ModelError, match=message):
        build_model(architecture, **arguments)


def test_stride_is_measured_on_any_functional_model():
    image = keras.Input((None, None, 2))
    x = keras.layers.MaxPooling2D(2)(image)
    x = keras.layers.Conv2D(3, 3, strides=2, padding="same")(x)
    x = keras.layers.UpSampling2D(4)(x)
    assert model_stride(keras.Model(image, x)) == 4
