"""The table of architectures, and messages that name the nearest one."""

import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.build import (
    build_model,
    describe_architecture,
)


def test_facts_are_read_from_the_model():
    arguments = {"encoder": "mobilenet_v2", "encoder_alpha": 0.35, "num_classes": 2}
    for image_pooling in (True, False):
        model = build_model("deeplab_v3", image_pooling=image_pooling, **arguments)
        facts = describe_architecture(model)
        assert facts.stride == 16
        assert (facts.receptive_field_px is None) == image_pooling


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
