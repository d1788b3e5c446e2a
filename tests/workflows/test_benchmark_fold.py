"""One candidate on one fold: its scores and its costs."""

import pytest

from defectkeras.datasets.folds import spec_of_fold
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.training.config import TrainingConfig
from defectkeras.workflows.benchmark_fold import run_fold
from defectkeras.workflows.benchmark_scores import SCORES
from defectkeras.workflows.candidates import Candidate


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
