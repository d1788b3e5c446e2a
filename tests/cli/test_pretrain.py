"""Pretraining from the command line, and training from what it wrote."""

import json

import pytest

from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.verify import verify_version
from defectkeras.training.pretrain import Pretraining

SMALL = ("--encoder", "mobilenet_v2", "--encoder-alpha", 0.35)
SIZES = ("--epochs", 1, "--steps-per-epoch", 1, "--batch-size", 1, "--patch-size", 32)


@pytest.fixture(scope="module")
def micrographs(synthetic_spec):
    return synthetic_spec.parent / "micrographs"


def test_dry_run_prints_every_setting(run, micrographs, tmp_path):
    done = run(
        "pretrain", micrographs, "--out", tmp_path / "e.keras", "--dry-run", *SMALL
    )
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)
    assert plan["config"]["encoder"] == "mobilenet_v2"
    assert plan["config"]["masking"] == {"square_px": 16, "fraction": 0.5}
    assert plan["micrographs"]
    assert not (tmp_path / "e.keras").exists()


def test_slips_are_told(run, micrographs, tmp_path):
    done = run(
        "pretrain", micrographs, "--out", tmp_path / "e.keras", "--encoder", "resnet"
    )
    assert done.exit_code == 1
    assert "Did you mean 'resnet" in done.stderr
    done = run("pretrain", micrographs, "--out", tmp_path / "e.h5", *SMALL)
    assert "must end in .keras" in done.stderr


def test_ctrl_c_keeps_what_was_written_and_has_its_status(
    run, micrographs, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "defectkeras.workflows.pretrain.pretrain",
        lambda *_, **__: Pretraining((0.2, 0.1), was_interrupted=True),
    )
    done = run("pretrain", micrographs, "--out", tmp_path / "e.keras", *SMALL)
    assert done.exit_code == 130, done.output
    assert "Interrupted after 2 epochs" in done.stderr


@pytest.mark.slow
def test_train_takes_what_pretrain_wrote(run, micrographs, synthetic_spec, tmp_path):
    out = tmp_path / "encoder.keras"
    done = run("pretrain", micrographs, "--out", out, *SMALL, *SIZES, "--json")
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["losses"]) == 1
    model = [
        word
        for setting in (
            "encoder=mobilenet_v2",
            "encoder_alpha=0.35",
            f"encoder_weights={out}",
        )
        for word in ("--set-model", setting)
    ]
    folders = ("--registry", tmp_path / "r", "--run-folder", tmp_path / "run")
    done = run(
        *("train", synthetic_spec, "--architecture", "encoder_unet", "--name", "small"),
        *(*model, *SIZES, *folders),
    )
    assert done.exit_code == 0, done.output
    out.unlink()  # a published model needs nothing but itself
    registry = ModelRegistry(tmp_path / "r")
    version = registry.resolve("small")
    assert version.card.arguments["encoder_alpha"] == 0.35
    assert version.card.stride == 32
    assert "depend a little on the tile size" in version.card.limits
    verify_version(version)
