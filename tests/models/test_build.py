"""The table of architectures, and messages that name the nearest one."""

import re
from pathlib import Path

import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.build import (
    build_model,
    describe_architecture,
)
from defectkeras.models.upsampling import UPSAMPLING_METHODS

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
ROWS = re.findall(
    r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) \| (\d+) px \| (\d+) px \|$", PAGE, re.M
)
UPSAMPLING_ROWS = re.findall(r"^\| (`\w+`.*) \| ([\d,]+) \| (\d+) px \|$", PAGE, re.M)


def trainable_count(model):
    return sum(weight.shape.num_elements() for weight in model.trainable_weights)


@pytest.mark.usefixtures("undrawn_weights")
def test_table_of_the_page():
    assert len(ROWS) == 6
    for architecture, trainable, total, stride, reach in ROWS:
        model = build_model(architecture, num_classes=1)
        facts = describe_architecture(model)
        found = facts.stride, facts.receptive_field_px // 2
        assert found == (int(stride), int(reach)), architecture
        counts = trainable_count(model), model.count_params()
        assert [f"{count:,}" for count in counts] == [trainable, total], architecture


def test_table_of_upsampling_on_the_page():
    told = [(m, *rest) for names, *rest in UPSAMPLING_ROWS for m in names.split(", ")]
    assert {method.strip("`") for method, *_ in told} == set(UPSAMPLING_METHODS)
    for method, trainable, reach in told:
        model = build_model("defectsegnet", num_classes=1, upsampling=method.strip("`"))
        assert f"{trainable_count(model):,}" == trainable, method
        assert describe_architecture(model).receptive_field_px // 2 == int(reach)


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


SMALL = {"encoder": "mobilenet_v2", "encoder_alpha": 0.35}


@pytest.mark.parametrize(
    ("architecture", "arguments", "message"),
    [
        ("unet", {"filters": 0}, "unet cannot be built. "),
        ("unet", {"filters": "4"}, "unet filters: must be of type int. Received: '4'"),
        ("fcn", {"dropout": 2.0, "filters": 2}, "fcn cannot be built. "),
        ("segnet", {"bayesian": "yes"}, "segnet bayesian: must be of type bool"),
        ("segnet_basic", {"num_classes": 0}, "at least 1. Received: num_classes=0"),
        ("deeplab_v3", {**SMALL, "rates": 3}, "deeplab_v3 rates: must be an array"),
        ("deeplab_v3", {**SMALL, "rates": [1.5]}, r"rates\[0\]: must be of type int"),
        ("encoder_unet", {"encoder_alpha": 0.0}, "width of .* must be above 0"),
        ("fast_fcn", {**SMALL, "pyramid_filters": 0}, "fast_fcn cannot be built. "),
        ("patch_classifier", {"patch_size": 10}, "9"),
    ],
)
def test_values_that_cannot_be_are_one_line(architecture, arguments, message):
    """They may come from a command line; no traceback helps there."""
    with pytest.raises(ModelError, match=message) as told:
        build_model(architecture, **{"num_classes": 2, **arguments})
    assert "\n" not in str(told.value)


def test_lists_of_toml_and_json_are_taken():
    model = build_model("deeplab_v3", num_classes=2, rates=[1, 2], **SMALL)
    assert model.name == "deeplab_v3"
