import dataclasses
from pathlib import Path

import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.core.strict import from_mapping
from defectkeras.pipelines.augment import Augmentation
from defectkeras.training.config import (
    TrainingConfig,
    load_training_config,
    read_toml,
)
from defectkeras.training.settings import resolve_settings

RECIPES = sorted((Path(__file__).parents[2] / "examples/recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_recipes_of_the_examples_are_read(path):
    settings = resolve_settings({"plan": read_toml(path)})
    assert settings.config != TrainingConfig()


def test_file_and_overrides_are_merged(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(
        "epochs = 7\nbatch_size = 4\nclass_weights = [1, 2.5]\n"
        "[augmentation]\ngain = 0.1\nscale_range = [0.9, 1.1]\n"
    )
    config = load_training_config(path, {"epochs": 9})
    assert (config.epochs, config.batch_size) == (9, 4)
    assert config.class_weights == (1.0, 2.5)
    assert config.augmentation.gain == 0.1
    assert config.augmentation.scale_range == (0.9, 1.1)
    assert config.patience == TrainingConfig().patience


def test_defaults_need_no_file():
    assert load_training_config() == TrainingConfig()


def test_config_survives_json():
    config = TrainingConfig(epochs=3, class_weights=(1.0, 4.0))
    form = dataclasses.asdict(config)
    assert from_mapping(TrainingConfig, form, where="config.json") == config


def test_pipeline_part_is_handed_on():
    pipeline = TrainingConfig(patch_size=64, batch_size=2, seed=3).pipeline()
    assert (pipeline.patch_size, pipeline.batch_size, pipeline.seed) == (64, 2, 3)


def test_unknown_key_names_file_and_nearest(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("[augmentation]\ngian = 0.1\n")
    with pytest.raises(TrainingError, match=r"config\.toml.*Did you mean 'gain'"):
        load_training_config(path)


def test_damaged_or_missing_file_is_named(tmp_path):
    path = tmp_path / "config.toml"
    with pytest.raises(TrainingError, match=r"config\.toml"):
        load_training_config(path)
    for text in ("epochs = = 3", f"epochs = {'9' * 5000}", "a = " + "[" * 20_000):
        path.write_text(text)
        with pytest.raises(TrainingError, match=r"config\.toml.*TOML"):
            load_training_config(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"steps_per_epoch": 0},
        {"patience": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"gradient_clip_norm": -1.0},
        {"weight_decay": -1.0},
        {"warmup_epochs": -1.0},
        {"seed": -1},
        {"accumulation_steps": 0},
        {"momentum": 1.0},
        {"ema_momentum": -0.1},
        {"poly_power": 0.0},
        {"frozen_epochs": -1},
        {"encoder_rate_factor": 0.0},
        {"auxiliary_weight": -1.0},
        {"checkpoint_minutes": -1.0},
        {"class_weight_cap": 0.5},
        {"loss": "ce + dyce"},
        {"loss": "focal(gama=2)"},
        {"class_weights": "median"},
        {"class_weights": (1.0, -1.0)},
        {"patch_size": 0},
        {"rare_class_fraction": 2.0},
    ],
)
def test_wrong_settings_are_errors(wrong):
    with pytest.raises(TrainingError, match=next(iter(wrong))):
        TrainingConfig(**wrong)


@pytest.mark.parametrize("form", [TrainingConfig, Augmentation])
def test_every_setting_is_in_the_docs(form):
    text = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
    for entry in dataclasses.fields(form):
        assert f"`{entry.name}" in text or f"[{entry.name}]" in text, entry.name
        if isinstance(entry.default, str | int):
            assert f"{entry.default}".lower() in text, f"default of {entry.name}"


def test_views_are_those_that_it_learns_from():
    sided = Augmentation(symmetries="left-right")
    assert TrainingConfig(augmentation=sided).views == "none"
    both = TrainingConfig(augmentation=sided, augment_predictions=True)
    assert both.views == "left-right"
    with pytest.raises(TrainingError, match="needs the views"):
        TrainingConfig(
            augmentation=Augmentation(symmetries="none"), augment_predictions=True
        )
