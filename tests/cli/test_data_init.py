"""A first data spec for a folder, from the command line."""

import json

import numpy as np
import pytest
from PIL import Image

from defectkeras.datasets.spec import load_dataset_spec


@pytest.fixture
def folder(tmp_path):
    mask = np.zeros((20, 30), np.uint8)
    mask[4:9, 5:12] = 255
    for name in ("images/a.png", "masks/a.png"):
        (tmp_path / name).parent.mkdir()
        Image.fromarray(mask).save(tmp_path / name)
    return tmp_path


def test_spec_is_written_once(run, folder):
    words = ("data", "init", folder, "--class", "void", "--pixel-size-nm", 0.5)
    dry = run(*words, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "Would write" in dry.stderr
    assert not (folder / "dataset.toml").exists()
    assert run(*words).exit_code == 0
    assert (folder / "dataset.toml").read_text() == dry.stdout
    (example,) = load_dataset_spec(folder / "dataset.toml").examples
    assert example.pixel_size_nm == 0.5
    assert example.hints.encoding == "binary"
    told = json.loads(run(*words, "--dry-run", "--overwrite", "--json").stdout)
    assert told["contents"]["sources"][0]["encoding"] == "binary"
    assert [p["severity"] for p in told["problems"]] == ["warning"]
    again = run(*words)
    assert again.exit_code == 1
    assert "--overwrite" in again.stderr
    assert run(*words, "--overwrite").exit_code == 0


def test_a_folder_that_is_not_there_is_told(run, tmp_path):
    done = run("data", "init", tmp_path / "missing")
    assert done.exit_code == 2
    assert "does not exist" in done.stderr


def test_classes_are_those_of_a_model(run, folder, tiny_registry):
    words = ("data", "init", folder, "--model", "tiny", "--registry", tiny_registry)
    shown = run(*words, "--object-class", "void")
    assert shown.exit_code == 0, shown.output
    spec = load_dataset_spec(folder / "dataset.toml")
    assert spec.scheme.num_classes > 2
    assert spec.examples[0].hints.object_class == "void"


def test_problems_are_told_and_the_status_is_1(run, folder):
    Image.fromarray(np.zeros((20, 31), np.uint8)).save(folder / "images" / "a.png")
    shown = run("data", "init", folder, "--class", "void")
    assert shown.exit_code == 1
    assert "error: " in shown.stderr
    assert (folder / "dataset.toml").exists()


def test_colors_are_told_with_their_pixels(run, folder):
    mask = np.zeros((20, 30, 3), np.uint8)
    mask[4:9, 5:12] = (255, 0, 0)
    Image.fromarray(mask).save(folder / "masks" / "a.png")
    shown = run("data", "init", folder)
    assert shown.exit_code == 0, shown.output
    assert "#000000: matrix, 565 pixels\n#ff0000: class_1, 35 pixels\n" in shown.stderr
    told = json.loads(
        run("data", "init", folder, "--dry-run", "--overwrite", "--json").stdout
    )
    assert told["color_pixels"] == {"#000000": 565, "#ff0000": 35}
