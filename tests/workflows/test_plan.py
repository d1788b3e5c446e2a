"""A plan made of the training split alone, and the settings of a training."""

import pytest

from defectkeras.core.errors import DatasetError, ModelError, TrainingError
from defectkeras.workflows.plan import (
    memory_of_device,
    plan_for_spec,
    settings_for_spec,
)


def test_only_the_training_split_is_looked_at(synthetic_spec, tmp_path):
    text = synthetic_spec.read_text()
    path = synthetic_spec.with_name("no_val.toml")
    path.write_text(text.replace("\nval =", "\nunused ="))
    without = plan_for_spec(path, memory_gib=8)
    path.unlink()
    assert without == plan_for_spec(synthetic_spec, memory_gib=8)


def test_missing_training_split_is_told(synthetic_spec):
    path = synthetic_spec.with_name("no_train.toml")
    path.write_text(synthetic_spec.read_text().replace("\ntrain =", "\nunused ="))
    with pytest.raises(DatasetError, match='the split "train" must have'):
        plan_for_spec(path, memory_gib=8)
    path.unlink()


def test_memory_of_this_computer_is_known():
    assert memory_of_device() > 2**28


def test_settings_must_fit_the_network(synthetic_spec):
    layers = {"flag": {"patch_size": 100}}
    with pytest.raises(TrainingError, match="multiple of the model's stride, 8"):
        settings_for_spec(synthetic_spec, layers=layers)
    layers = {"flag": {"model": {"varient": "paper"}}}
    with pytest.raises(ModelError, match="Did you mean 'variant'"):
        settings_for_spec(synthetic_spec, layers=layers)
