"""A plan for a drawn set: what is chosen, and the TOML that people edit."""

import tomllib

import pytest

from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.datasets.survey import survey_examples
from defectkeras.quantification.line_graph import widths_in_mask_px
from defectkeras.training.plan import Choice, bytes_per_patch, make_plan, write_toml
from defectkeras.training.settings import resolve_settings

GIB = 2**30


@pytest.fixture(scope="module")
def choices(synthetic_spec):
    spec = load_dataset_spec(synthetic_spec)
    survey = survey_examples(spec.of_split("train"), spec.scheme, widths_in_mask_px)
    return make_plan(survey, num_maps=4, memory_bytes=8 * GIB)


def test_written_plan_is_read_as_settings(choices):
    text = write_toml(choices, "A plan.")
    settings = resolve_settings({"plan": tomllib.loads(text)})
    assert settings.architecture == "defectsegnet"
    assert settings.config.patch_size % 8 == 0
    assert settings.config.patch_size <= 120  # height of the micrographs
    assert "cldice" in settings.config.loss
    assert {c.key for c in choices} == {
        key for key, origin in settings.origins.items() if origin == "plan"
    }


def test_every_value_has_its_reason_above_it(choices):
    lines = write_toml(choices, "A plan.").splitlines()
    values = [i for i, line in enumerate(lines) if " = " in line and line[0] != "#"]
    assert len(values) == len(choices)
    assert all(lines[i - 1].startswith("# ") for i in values)
    assert max(len(line) for line in lines if line.startswith("#")) <= 88


def test_tables_are_written_once():
    choices = [
        Choice("epochs", 3, "Few."),
        Choice("augmentation.gamma", 0.2, "Dark."),
        Choice("augmentation.scale_range", [0.8, 1.25], "Sizes."),
        Choice("model.encoder", 'a "b"', "Large."),
    ]
    assert tomllib.loads(write_toml(choices, "A plan.")) == {
        "epochs": 3,
        "augmentation": {"gamma": 0.2, "scale_range": [0.8, 1.25]},
        "model": {"encoder": 'a "b"'},
    }


def test_memory_grows_with_the_area_of_a_patch():
    small, large = (bytes_per_patch("defectsegnet", {}, 4, side) for side in (64, 128))
    assert large == 4 * small
