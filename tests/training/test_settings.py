"""Settings in layers: the last one wins, and slips name their layer."""

import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.training.config import TrainingConfig
from defectkeras.training.settings import read_layers, resolve_settings


def test_without_layers_all_is_default():
    settings = resolve_settings({})
    assert settings.config == TrainingConfig()
    assert (settings.architecture, settings.arguments) == ("defectsegnet", {})
    assert set(settings.origins.values()) == {"default"}
    assert settings.values()["augmentation.gamma"] == 0.3


def test_later_layers_win_key_by_key(tmp_path):
    plan, file = tmp_path / "plan.toml", tmp_path / "file.toml"
    plan.write_text(
        'architecture = "unet"\nepochs = 9\nseed = 1\n'
        "[augmentation]\nnoise = 0.1\ngamma = 0.1\n[model]\nfilters = 8\n"
    )
    file.write_text("epochs = 7\n[augmentation]\ngamma = 0.2\n")
    flags = {"epochs": 5, "model.upsampling": "nearest", "augmentation.offset": 0}
    settings = resolve_settings(read_layers(plan=plan, file=file, flags=flags))
    config, origins = settings.config, settings.origins
    assert (config.epochs, origins["epochs"]) == (5, "flag")
    assert (config.seed, origins["seed"]) == (1, "plan")
    augmentation = config.augmentation
    assert (augmentation.noise, origins["augmentation.noise"]) == (0.1, "plan")
    assert (augmentation.gamma, origins["augmentation.gamma"]) == (0.2, "file")
    assert augmentation.offset == 0
    assert settings.architecture == "unet"
    assert settings.arguments == {"filters": 8, "upsampling": "nearest"}
    assert settings.values()["model.filters"] == 8


def test_another_architecture_leaves_the_arguments_behind():
    plan = {"architecture": "unet", "model": {"filters": 8}}
    flags = {"architecture": "segnet", "model": {"name": "x"}}
    assert resolve_settings({"plan": plan, "flag": flags}).arguments == {"name": "x"}
    same = {"architecture": "unet"}
    assert resolve_settings({"plan": plan, "flag": same}).arguments == {"filters": 8}


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"epoch": 3}, "flag: unknown key 'epoch'. Did you mean 'epochs'"),
        ({"architectur": "x"}, "flag: unknown key 'architectur'. Did you mean 'arch"),
        ({"augmentation": {"gama": 1}}, "unknown key 'gama'. Did you mean 'gamma'"),
        ({"augmentations": {"gamma": 1}}, "Did you mean 'augmentation'"),
        ({"epochs": "three"}, "flag epochs: must be of type int"),
        ({"epochs": 0}, "`epochs` must be at least 1"),
        ({"model": 3}, "flag model: must be a table"),
        ({"architecture": 3}, "flag architecture: must be the name"),
        ({"target_pixel_size_nm": 0}, "`target_pixel_size_nm` must be above 0"),
    ],
)
def test_slips_are_told(told, message):
    with pytest.raises(TrainingError, match=message):
        resolve_settings({"flag": told})


def test_slip_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text("patchsize = 3\n")
    with pytest.raises(TrainingError, match=r"plan\.toml: unknown key 'patchsize'"):
        read_layers(plan=path)
    path.write_text("patch size = 3\n")
    with pytest.raises(TrainingError, match=r"plan\.toml: must be a TOML file"):
        read_layers(file=path)
