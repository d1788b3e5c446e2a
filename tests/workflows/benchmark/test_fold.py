"""One candidate on one fold: its scores and its costs."""

from types import SimpleNamespace

import numpy as np
import pytest

from defectkeras.datasets.folds import spec_of_fold
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.training.config import TrainingConfig
from defectkeras.workflows.benchmark import fold as home
from defectkeras.workflows.benchmark.candidates import Candidate

# FIXME from defectkeras.workflows import benchmark_fold as home
from defectkeras.workflows.benchmark.fold import run_fold
from defectkeras.workflows.benchmark.scores import SCORES


@pytest.fixture
def fold(synthetic_spec):
    return spec_of_fold(load_dataset_spec(synthetic_spec), 2, 1)


def test_a_forest_has_no_operations(fold, tmp_path):
    forest = Candidate("method", "random_forest")
    row = run_fold(forest, fold, TrainingConfig(), run_folder=tmp_path / "run")
    assert set(SCORES) < set(row)
    assert row["micrographs"] == [e.name for e in fold.of_split("val")]
    assert 0 <= row["iou"] <= 1
    assert row["parameters"] is row["window_seconds_per_megapixel"] is None
    assert row["cpu_seconds_per_megapixel"] > 0
    assert not (tmp_path / "run").exists()


def test_a_network_is_asked_as_its_settings_say(fold, tmp_path, monkeypatch):
    asked = {}

    def predict_probabilities(model, scheme, **settings):
        asked.update(settings)
        blank = np.full(scheme.num_classes, 1 / scheme.num_classes, np.float32)
        return lambda micrograph: np.tile(blank, (*micrograph.shape, 1))

    monkeypatch.setattr(home, "predict_probabilities", predict_probabilities)
    monkeypatch.setattr(
        "defectkeras.training.train.train",
        lambda model, *_, **__: SimpleNamespace(model=model),
    )
    config = TrainingConfig(epochs=1, steps_per_epoch=1, augment_predictions=True)
    unet = Candidate("architecture", "unet", "unet", {"filters": 2}, "ce")
    row = run_fold(unet, fold, config, run_folder=tmp_path / "run")
    assert asked == {"target_pixel_size_nm": None, "symmetries": "square"}
    assert row["parameters"] > 0
