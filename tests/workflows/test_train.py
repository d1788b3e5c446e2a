"""From a data spec to a version whose card tells how it was made."""

import dataclasses
import json
import shutil
import signal

import keras
import numpy as np
import pytest

from defectkeras.core.errors import DatasetError, DefectKerasError, TrainingError
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.registry.load import load_model
from defectkeras.registry.store import ModelRegistry
from defectkeras.training import strategy
from defectkeras.training.config import TrainingConfig, load_training_config
from defectkeras.training.strategy import Devices
from defectkeras.workflows.train import (
    TrainingRequest,
    load_spec_of,
    train,
)
from defectkeras.workflows.training_request import request_to_resume

pytestmark = pytest.mark.usefixtures("no_pictures")

CONFIG = TrainingConfig(epochs=1, steps_per_epoch=1, batch_size=1, patch_size=32)
SMALL = {  # soon built, trained and published
    "architecture": "patch_classifier",
    "arguments": {"patch_size": 9, "filters": 4},
}


def test_card_tells_data_settings_and_scores(tiny_registry, synthetic_spec):
    card = ModelRegistry(tiny_registry).resolve("tiny").card
    spec = load_dataset_spec(synthetic_spec)
    assert card.architecture == "patch_classifier"
    assert card.arguments == {"num_classes": 4, "patch_size": 9, "filters": 4}
    assert card.scheme == spec.scheme
    assert card.dataset_fingerprint == spec.fingerprint
    assert card.split["val"] == [e.name for e in spec.of_split("val")]
    assert card.config["patch_size"] == 48
    assert card.stride == 1
    assert card.receptive_field_px == 9
    np.testing.assert_allclose(card.pixel_size_range_nm, (1.0, 1.0), rtol=1e-5)
    json.dumps(card.to_dict(), allow_nan=False)


def test_settings_of_a_card_give_the_same_weights(
    tiny_registry, synthetic_spec, tmp_path
):
    version = ModelRegistry(tiny_registry).resolve("tiny")
    request = TrainingRequest(
        synthetic_spec,
        name="again",
        registry_root=tmp_path / "registry",
        run_folder=tmp_path / "run",
        **SMALL,
    )
    _, run = train(request, load_training_config(overrides=version.card.config))
    weights = load_model(version).get_weights(), run.model.get_weights()
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_missing_split_is_told(synthetic_spec, tmp_path):
    path = synthetic_spec.with_name("no_val.toml")
    path.write_text(synthetic_spec.read_text().replace("\nval =", "\nunused ="))
    request = TrainingRequest(path, name="x", registry_root=tmp_path)
    with pytest.raises(DatasetError, match='the split "val" must have'):
        train(request, CONFIG)
    path.unlink()


def test_several_workers_must_share_a_run_folder(synthetic_spec, tmp_path, monkeypatch):
    """Each would make up a folder of its own and miss the weights in the end."""
    two = Devices(None, worker=1, workers=2, reason="Worker 2 of 2.")
    monkeypatch.setattr(strategy, "choose_devices", lambda requested: two)
    request = TrainingRequest(synthetic_spec, registry_root=tmp_path)
    with pytest.raises(TrainingError, match="Name it with --run-folder"):
        train(request, CONFIG)


def test_interrupted_run_goes_on_and_is_published(synthetic_spec, tmp_path, caplog):
    def interrupt(progress):
        signal.raise_signal(signal.SIGINT)

    request = TrainingRequest(
        synthetic_spec,
        name="x",
        registry_root=tmp_path / "registry",
        run_folder=tmp_path / "run",
        **SMALL,
    )
    config = dataclasses.replace(CONFIG, precision="mixed_bfloat16")
    with pytest.raises(TrainingError, match="--resume"):
        train(request, config, on_progress=interrupt)
    assert keras.config.dtype_policy().name == "float32"
    again = request_to_resume(tmp_path / "run")
    with caplog.at_level("INFO", logger="defectkeras"):
        version, run = train(again, config)
    assert "Precision mixed_bfloat16: The run began with it." in caplog.messages
    assert version.reference == "x@1"
    assert len(run.history) == 1
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert environment["precision"] == "mixed_bfloat16"
    assert run.model.dtype_policy.name == "float32"  # what is published
    assert keras.config.dtype_policy().name == "float32"


def test_bad_file_is_named_or_left_out(synthetic_spec, tmp_path, caplog):
    folder = shutil.copytree(synthetic_spec.parent, tmp_path / "set")
    spec = load_dataset_spec(folder / synthetic_spec.name)
    bad = spec.of_split("train")[0]
    bad.micrograph_path.write_bytes(bad.micrograph_path.read_bytes()[:100])
    request = TrainingRequest(
        spec.path,
        name="x",
        registry_root=tmp_path / "registry",
        run_folder=tmp_path / "run",
    )
    with pytest.raises(DefectKerasError, match=bad.micrograph_path.name):
        train(request, CONFIG)
    left, _ = load_spec_of(dataclasses.replace(request, skip_bad=True))
    assert bad.name not in [e.name for e in left.examples]
    assert len(left.examples) == len(spec.examples) - 1
    assert f"Left out: {bad.micrograph_path}" in caplog.text
