"""Versions from elsewhere, as a user imports them."""

import json
import shutil

import keras
import pytest

from defectkeras.registry.store import ModelRegistry


@pytest.fixture
def copied(tiny_registry, tmp_path):
    return shutil.copytree(tiny_registry, tmp_path / "registry")


def test_version_is_carried_to_another_registry(run, copied, tmp_path):
    archive, other = tmp_path / "tiny.tar.gz", tmp_path / "other"
    words = ("registry", "export", "tiny", archive, "--registry", copied)
    run(*words, "--dry-run")
    assert not archive.exists()
    assert run(*words).exit_code == 0
    assert run(*words).exit_code == 1  # it is there already
    words = ("registry", "import", archive, "--registry", other)
    assert "nothing beyond computing" in run(*words, "--dry-run").stderr
    renamed = run(*words, "--trust", "--name", "mine", "--license", "MIT")
    assert renamed.exit_code == 2
    assert "leave out --name, --license" in renamed.stderr
    refused = run(*words)
    assert refused.exit_code == 1
    assert "--trust" in refused.stderr
    assert not other.exists()
    taken = run(*words, "--trust", "--json")
    assert json.loads(taken.stdout)["reference"] == "tiny@1"
    assert run("registry", "verify", "--registry", other).exit_code == 0


def test_an_archive_that_is_none_is_told(run, tmp_path):
    archive = tmp_path / "broken.tar.gz"
    archive.write_bytes(b"no archive")
    words = ("registry", "import", archive, "--trust", "--registry", tmp_path / "other")
    result = run(*words)
    assert result.exit_code == 1
    assert "broken.tar.gz must be a whole" in result.stderr.splitlines()[-1]
    assert "--name" not in result.stderr
    assert not (tmp_path / "other").exists()


def test_model_of_an_older_format_needs_a_name_and_classes(run, tmp_path):
    path = tmp_path / "old.h5"
    path.write_bytes(b"no HDF5")
    words = ("registry", "import", path, "--registry", tmp_path / "registry")
    assert "--name" in run(*words).stderr
    named = (*words, "--name", "old")
    assert "--classes or --spec" in run(*named).stderr
    told = run(*named, "--classes", "matrix, void:region")
    assert told.exit_code == 1
    assert "old.h5" in told.stderr


def test_unknown_file_names_what_can_be_imported(run, tmp_path):
    (tmp_path / "model.onnx").touch()
    words = ("--name", "old", "--classes", "matrix, void:region")
    told = run("registry", "import", tmp_path / "model.onnx", *words)
    assert told.exit_code == 1
    assert "Keras 2" in told.stderr


def test_model_of_keras_3_needs_no_more_than_its_file(run, tmp_path):
    layers = keras.layers
    image = keras.Input((16, 16, 3))
    x = layers.UpSampling2D(interpolation="bilinear")(layers.MaxPooling2D()(image))
    x = layers.Lambda(lambda x: x / 255, name="norm")(x)
    output = layers.Conv2D(2, 1, activation="softmax")(x)
    keras.Model(image, output).save(tmp_path / "own.keras")
    registry = tmp_path / "registry"
    words = ("registry", "import", tmp_path / "own.keras", "--name", "own")
    words = (*words, "--classes", "matrix, void:region", "--registry", registry)
    refused = run(*words)
    assert refused.exit_code == 1
    assert "--skip-layer norm leaves it out" in refused.stderr
    assert run(*words, "--scale", "1,a").exit_code == 2
    assert "commas" in run(*words, "--offset", "nan").stderr
    told = ("--skip-layer", "norm", "--scale", "2", "--offset", "-1,-2,-3")
    assert run(*words, *told).exit_code == 0
    card = ModelRegistry(registry).resolve("own").card
    assert card.config["scale"] == [2]
    assert card.config["offset"] == [-1, -2, -3]
    assert card.config["skip_layers"] == ["norm"]
    assert run("registry", "verify", "own", "--registry", registry).exit_code == 0
