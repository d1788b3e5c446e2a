"""An ensemble of the folds, in the registry."""

import dataclasses
import signal

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import StoppedError, TrainingError
from defectkeras.registry.load import load_predict_fn
from defectkeras.registry.store import ModelRegistry
from defectkeras.training.config import TrainingConfig
from defectkeras.workflows.train_folds import train_folds
from defectkeras.workflows.training_request import TrainingRequest, request_to_resume

pytestmark = pytest.mark.usefixtures("no_pictures")

CONFIG = TrainingConfig(
    epochs=1, steps_per_epoch=1, batch_size=1, patch_size=32, precision="float32"
)
SMALL = {  # soon built, trained and published
    "architecture": "patch_classifier",
    "arguments": {"patch_size": 9, "filters": 4},
}


@pytest.mark.slow
def test_folds_become_one_version(synthetic_spec, tmp_path):
    request = TrainingRequest(
        synthetic_spec,
        name="folds",
        registry_root=tmp_path / "registry",
        run_folder=tmp_path / "run",
        folds=2,
        **SMALL,
    )
    config = dataclasses.replace(CONFIG, tune_thresholds=True)
    version, runs = train_folds(request, config)
    card = ModelRegistry(tmp_path / "registry").resolve("folds").card
    names = [set(names) for names in card.split["folds"]]
    assert len(names) == 2
    assert not names[0] & names[1]
    assert sum(map(len, names)) == 4
    scores = [run.best_score for run in runs]
    assert card.metrics["mean_defect_iou"] == pytest.approx(sum(scores) / 2)
    tuned = card.metrics["tuned_thresholds"]
    assert tuned["split"] == "folds"
    assert tuned["thresholds"] == card.thresholds
    assert (
        0 <= tuned["score_before"] <= tuned["score_after"] <= 1
        or not tuned["thresholds"]
    )
    assert callable(load_predict_fn(version))
    again = request_to_resume(tmp_path / "run")  # all folds are done
    version, more = train_folds(again, config)
    assert version.reference == "folds@2"
    assert [run.best_score for run in more] == scores


@pytest.mark.slow
def test_interrupted_folds_go_on_together(synthetic_spec, tmp_path):
    def interrupt(progress):
        signal.raise_signal(signal.SIGINT)

    request = TrainingRequest(
        synthetic_spec, run_folder=tmp_path / "run", folds=2, **SMALL
    )
    with pytest.raises(StoppedError, match=r"--resume .*/run$"):
        train_folds(request, CONFIG, on_progress=interrupt)


def test_a_fold_without_a_defect_is_told_before_the_first_training(
    discs_spec, tmp_path
):
    mask = Image.fromarray(np.zeros((90, 120), np.uint8))
    mask.save(discs_spec.parent / "masks/b.png")
    request = TrainingRequest(discs_spec, run_folder=tmp_path / "run", folds=2, **SMALL)
    with pytest.raises(TrainingError, match=r"none in fold \d of 2 \(b\)"):
        train_folds(request, CONFIG)
    assert not request.run_folder.exists()
