import math

import numpy as np
import pytest

from defectkeras.metrics import score_counts
from defectkeras.training.config import TrainingConfig
from defectkeras.training.records import history_row, scores_for_log
from defectkeras.training.train import train
from defectkeras.training.validation import Validation

CONFIG = TrainingConfig(epochs=2, steps_per_epoch=3, batch_size=2, patch_size=32)


@pytest.fixture(scope="module")
def run_and_progress(scheme, draw_example, build_tiny_model, tmp_path_factory):
    told = []
    run = train(
        build_tiny_model(),
        [draw_example((60, 84))],
        [draw_example((40, 52), seed=1, classes=()), draw_example((45, 61), seed=2)],
        scheme,
        CONFIG,
        run_folder=tmp_path_factory.mktemp("records") / "run",
        on_progress=told.append,
    )
    return run, told


def test_progress_is_told_after_each_step_and_validation(run_and_progress):
    run, told = run_and_progress
    assert [(p.epoch, p.step) for p in told] == [
        (epoch, step) for epoch in (1, 2) for step in (1, 2, 3, 3)
    ]
    assert told[0].score is None
    assert told[3].score == run.history[0]["val_mean_defect_iou"]
    assert told[-1].best_score == run.best_score
    assert told[-1].best_epoch == run.best_epoch


def test_scores_have_names_and_nan_where_a_class_is_absent(scheme):
    counts = np.array([[80, 5, 0], [4, 11, 0], [0, 0, 0]])
    validation = Validation(counts, score_counts(counts))
    logs = scores_for_log(validation, scheme)
    assert logs["val_iou_void"] == 11 / 20
    assert logs["val_precision_void"] == 11 / 16
    assert logs["val_recall_void"] == 11 / 15
    assert logs["val_pixel_accuracy"] == 0.91
    assert logs["val_mean_defect_iou"] == 11 / 20  # over the classes that are there
    assert math.isnan(logs["val_iou_dislocation"])
    assert len(logs) == 2 + 3 * 4


def test_score_without_a_value_is_none():
    assert history_row(epoch=1, val_iou_void=math.nan) == {
        "epoch": 1,
        "val_iou_void": None,
    }
