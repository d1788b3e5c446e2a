"""Training from the command line."""

import json
import shutil

import pytest

from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.registry.store import ModelRegistry

pytestmark = pytest.mark.usefixtures("no_pictures")


def test_train_publishes_and_tells(run, small_network, synthetic_spec, tmp_path):
    words = ("train", synthetic_spec, "--name", "small", "--registry", tmp_path / "r")
    sizes = (
        "--epochs",
        1,
        "--steps-per-epoch",
        1,
        "--batch-size",
        1,
        "--patch-size",
        32,
    )
    words += (*small_network, "--run-folder", tmp_path / "run")
    done = run(*words, *sizes, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["model"] == "small@1"
    assert "Published as small@1" in done.stderr
    assert (tmp_path / "run" / "best.weights.h5").exists()
    assert (tmp_path / "r" / "small" / "1" / "saved_model.pb").exists()


def test_dry_run_prints_every_setting(run, synthetic_spec, tmp_path):
    words = ("train", synthetic_spec, "--dry-run", "--registry", tmp_path / "r")
    done = run(*words, "--epochs", 3, "--run-folder", tmp_path / "run")
    plan = json.loads(done.stdout)
    assert plan["publishes"] == str(tmp_path / "r" / "synthetic-dci-stem")
    assert plan["run_folder"] == str(tmp_path / "run")
    assert plan["parameters"] > 350_000
    assert plan["config"]["epochs"] == 3
    assert plan["examples"] == {"train": 3, "val": 1, "test": 0}
    assert list(tmp_path.iterdir()) == []


def test_slips_are_told(run, synthetic_spec, tmp_path):
    result = run("train", synthetic_spec, "--architecture", "defectsegnett")
    assert result.exit_code == 1
    assert "Did you mean 'defectsegnet'?" in result.stderr
    result = run("train", synthetic_spec, "--variant", "papper", "--dry-run")
    assert result.exit_code == 1
    assert "Did you mean 'paper'?" in result.stderr
    result = run("train", synthetic_spec, "--patch-size", 90, "--dry-run")
    assert result.exit_code == 1
    assert "must be a multiple of the model's stride, 8. Received: 90" in result.stderr
    config = tmp_path / "settings.toml"
    config.write_text("epoch = 3\n")
    result = run("train", synthetic_spec, "--config", config)
    assert result.exit_code == 1
    assert "unknown key 'epoch'. Did you mean 'epochs'?" in result.stderr


def test_run_goes_on_with_its_own_settings_alone(
    run, small_network, tmp_path, synthetic_spec
):
    folder = tmp_path / "run"
    sizes = ("--steps-per-epoch", 1, "--batch-size", 1, "--patch-size", 32)
    words = ("train", synthetic_spec, "--epochs", 1, *sizes, "--run-folder", folder)
    words += (*small_network, "--name", "x", "--registry")
    (tmp_path / "x").write_text("")  # where the model's folder would be
    refused = run(*words, tmp_path)
    assert "The registry must be writable" in refused.stderr
    assert not folder.exists()  # told before the training, not after it
    assert run(*words, tmp_path / "r").exit_code == 0
    other = run("train", "--resume", folder, "--epochs", 2)
    assert other.exit_code == 1
    assert "config.json epochs: 1 before, 2 now" in other.stderr
    same = run("train", "--resume", folder, "--registry", tmp_path / "moved")
    assert same.exit_code == 0, same.output
    assert "Precision float32: The run began with it." in same.stderr
    assert f"Published as x@1 in {tmp_path / 'moved'}" in same.stderr


def test_spec_or_run_must_be_named(run, synthetic_spec, tmp_path):
    result = run("train")
    assert result.exit_code == 2
    assert "Name a data spec SPEC, or a run by --resume" in result.stderr
    words = (synthetic_spec, "--resume", tmp_path, "--name", "x", "--epochs", 2)
    result = run("train", *words)
    assert result.exit_code == 2
    leave_out = "leave out SPEC, --name, as in `defectkeras train --resume /"
    assert leave_out in result.stderr


def test_dry_run_reads_what_training_would(run, synthetic_spec, tmp_path):
    data = shutil.copytree(synthetic_spec.parent, tmp_path / "set")
    spec = load_dataset_spec(data / synthetic_spec.name)
    bad = spec.of_split("train")[0].micrograph_path
    bad.write_bytes(bad.read_bytes()[:100])
    words = ("train", spec.path, "--dry-run", "--registry", tmp_path / "r")
    refused = run(*words)
    assert refused.exit_code == 1
    assert bad.name in refused.stderr
    assert refused.stdout == ""
    left = run(*words, "--skip-bad")
    assert left.exit_code == 0, left.output
    train = len(spec.of_split("train"))
    assert json.loads(left.stdout)["examples"]["train"] == train - 1
    for example in spec.of_split("train"):
        example.micrograph_path.write_bytes(b"")
    refused = run(*words, "--skip-bad")
    assert refused.exit_code == 1
    assert f"Left out: {bad}" in refused.stderr
    assert 'split "train" must have a micrograph' in refused.stderr
    assert "Mend what was left out" in refused.stderr


@pytest.mark.slow
def test_bad_file_is_left_out_and_stays_out(
    run, small_network, synthetic_spec, tmp_path
):
    """And the others are resampled, as they were told to be."""
    data = shutil.copytree(synthetic_spec.parent, tmp_path / "set")
    spec = load_dataset_spec(data / synthetic_spec.name)
    bad, *good = spec.of_split("train")
    bad.micrograph_path.write_bytes(bad.micrograph_path.read_bytes()[:100])
    words = ("train", spec.path, "--epochs", 1, "--steps-per-epoch", 1)
    words += ("--batch-size", 1, "--patch-size", 32, "--run-folder", tmp_path / "run")
    words += ("--set", "target_pixel_size_nm=1.6", "--name", "x")
    words += ("--registry", tmp_path / "registry", *small_network)
    refused = run(*words)
    assert refused.exit_code == 1
    assert bad.micrograph_path.name in refused.stderr
    for number, done in enumerate(
        (run(*words, "--skip-bad"), run("train", "--resume", tmp_path / "run")), 1
    ):
        assert done.exit_code == 0, done.output
        assert f"Left out: {bad.micrograph_path}" in done.stderr
        card = ModelRegistry(tmp_path / "registry").resolve(f"x@{number}").card
        assert card.split["train"] == [e.name for e in good]
        assert card.pixel_size_range_nm == (1.6, 1.6)
    inputs = json.loads((tmp_path / "run" / "inputs.json").read_text())
    assert [e["name"] for e in inputs["train"]] == [e.name for e in good]
    for entry in (*inputs["train"], *inputs["val"]):  # 120 x 152 px of 1 nm
        assert sum(entry["class_counts"]) == 75 * 95
