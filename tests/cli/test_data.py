"""Sets of annotated micrographs: made, checked, described."""

import json

import numpy as np
from PIL import Image


def test_synthesize_validate_describe(run, tmp_path):
    folder = tmp_path / "set"
    made = run(
        "data", "synthesize", folder, "--count", 3, "--rows", 64, "--columns", 96
    )
    assert made.exit_code == 0, made.output
    spec = folder / "dataset.toml"
    assert str(spec) in made.stderr
    valid = run("data", "validate", spec, "--json")
    assert valid.exit_code == 0, valid.output
    assert all(p["severity"] == "warning" for p in json.loads(valid.stdout))
    sheet = tmp_path / "sheet.png"
    described = run("data", "describe", spec, "--contact-sheet", sheet)
    assert described.exit_code == 0, described.output
    assert "64 x 96, 1 nm/px" in described.stdout
    assert np.asarray(Image.open(sheet)).ndim == 3
    facts = json.loads(run("data", "describe", spec, "--json").stdout)
    assert [e["shape"] for e in facts["examples"]] == [[64, 96]] * 3


def test_dry_run_writes_nothing(run, tmp_path, synthetic_spec):
    folder = tmp_path / "set"
    dry = run("data", "synthesize", folder, "--dry-run", "--json")
    assert dry.exit_code == 0
    assert json.loads(dry.stdout)["written"] is False
    assert not folder.exists()
    sheet = tmp_path / "sheet.png"
    run("data", "describe", synthetic_spec, "--contact-sheet", sheet, "--dry-run")
    assert not sheet.exists()


def test_all_problems_are_listed_and_the_status_is_1(run, tmp_path):
    folder = tmp_path / "set"
    run("data", "synthesize", folder, "--count", 3, "--rows", 64, "--columns", 96)
    annotations = sorted((folder / "annotations").glob("*.png"))
    binary = np.zeros((64, 96), np.uint8)
    binary[5:20, 7:30] = 255
    Image.fromarray(binary).save(annotations[0])
    Image.fromarray(np.zeros((64, 90), np.uint8)).save(annotations[1])
    result = run("data", "validate", folder / "dataset.toml")
    assert result.exit_code == 1
    assert f"error: {annotations[0]}" in result.stdout
    assert f"error: {annotations[1]}" in result.stdout
    assert f"error: {annotations[0]}" in run("data", "validate", folder).stdout


def test_folder_has_the_classes_of_the_model(run, tmp_path, tiny_registry):
    folder = tmp_path / "set"
    run("data", "synthesize", folder, "--count", 3, "--rows", 64, "--columns", 96)
    (folder / "dataset.toml").unlink()
    (folder / "annotations").joinpath("extra.png").touch()
    words = ("data", "validate", folder, "--registry", tiny_registry)
    assert "Name that by --model" in run(*words).stderr
    result = run(*words, "--model", "tiny")
    assert result.exit_code == 0, result.output
    assert "extra.png: the annotation has no micrograph" in result.stdout


def test_unknown_preset_gets_the_nearest(run, tmp_path):
    for words in ((), ("--dry-run",)):
        result = run(
            "data", "synthesize", tmp_path / "s", "--preset", "dci-sten", *words
        )
        assert result.exit_code == 1
        assert "Did you mean 'dci-stem'?" in result.stderr
