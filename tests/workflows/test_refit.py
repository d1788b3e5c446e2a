"""Learning once more, from both splits, for as long as was best."""

import dataclasses
import signal

import numpy as np
import pytest

from defectkeras.core.errors import DatasetError, TrainingError
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.registry.load import load_model
from defectkeras.training import train as training
from defectkeras.training.config import TrainingConfig
from defectkeras.workflows.refit import split_of
from defectkeras.workflows.train import golden_image, plan_training, train
from defectkeras.workflows.train_folds import train_folds
from defectkeras.workflows.training_request import (
    REFIT,
    TrainingRequest,
    request_to_resume,
)

pytestmark = pytest.mark.usefixtures("no_pictures")

CONFIG = TrainingConfig(
    epochs=2, steps_per_epoch=2, batch_size=2, patch_size=32, refit=True
)


@pytest.fixture
def request_for(tmp_path, discs_spec):
    """A request on the drawn discs: one micrograph to train on, one to validate on."""

    def give(name):
        return TrainingRequest(
            discs_spec,
            name=name,
            architecture="patch_classifier",
            arguments={"patch_size": 9, "filters": 4},
            registry_root=tmp_path / "registry",
            run_folder=tmp_path / name,
        )

    return give


@pytest.fixture
def without_val(discs_spec):
    """Both of the drawn discs are for training."""
    text = discs_spec.read_text()
    discs_spec.write_text(text.replace('["a"]\nval = ["b"]', '["a", "b"]'))


@pytest.mark.slow
def test_refit_learns_from_both_splits_and_goes_on_where_it_was_stopped(
    request_for, discs_spec, monkeypatch
):
    seen = []
    original = training.train

    def spy(model, examples, *arguments, keep_epoch=None, **more):
        seen.append(([e.name for e in examples], keep_epoch))
        return original(model, examples, *arguments, keep_epoch=keep_epoch, **more)

    def range_of(examples, config):
        calibrated.append([e.name for e in examples])

    calibrated = []
    monkeypatch.setattr("defectkeras.workflows.train.pixel_size_range", range_of)
    monkeypatch.setattr(training, "train", spy)
    version, first = train(request_for("whole"), CONFIG)
    assert calibrated == [["a", "b"]]
    assert seen == [(["a"], None), (["a", "b"], first.best_epoch)]
    card = version.card
    assert card.split["train"] == ["a", "b"]
    assert card.split["val"] == []
    assert card.metrics["refitted"]
    best = first.history[first.best_epoch - 1]["val_mean_defect_iou"]
    assert card.metrics["scores"]["val_mean_defect_iou"] == best
    assert "It has learned from the validation split, too" in card.limits
    published = load_model(version)
    temperature = card.metrics["calibration"]["temperature"]
    np.testing.assert_allclose(
        published.get_layer("temperature").scale, 1 / temperature
    )
    differences = [
        np.abs(ours - theirs).max()
        for ours, theirs in zip(
            published.get_weights(), first.model.get_weights(), strict=True
        )
    ]
    assert max(differences) > 0

    calls = []

    def stop_in_the_refit(progress):
        calls.append(progress)
        if len(calls) > 1 and progress.epoch < calls[-2].epoch:
            signal.raise_signal(signal.SIGINT)

    request = request_for("stopped")
    with pytest.raises(TrainingError, match=f"--resume .*stopped/{REFIT}"):
        train(request, CONFIG, on_progress=stop_in_the_refit)
    again = request_to_resume(request.run_folder / REFIT)
    assert again.run_folder == request.run_folder
    resumed, _ = train(again, CONFIG)
    for ours, theirs in zip(
        load_model(resumed).get_weights(), published.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_split_says_what_was_learned_from(discs_spec):
    spec = load_dataset_spec(discs_spec)
    assert split_of(spec, refitted=False)["val"] == ["b"]
    assert split_of(spec, refitted=True)["train"] == ["a", "b"]


def test_folds_need_no_validation_split(request_for, without_val):
    request = dataclasses.replace(request_for("folds"), folds=2)
    spec, _, _ = plan_training(request, CONFIG)
    assert len(spec.of_split("train")) == 2
    assert golden_image(spec).shape == (90, 120)
    with pytest.raises(DatasetError, match="3 folds, 2 specimens"):
        plan_training(dataclasses.replace(request, folds=3), CONFIG)
    with pytest.raises(DatasetError, match='"val" must have a micrograph'):
        plan_training(dataclasses.replace(request, folds=0), CONFIG)


@pytest.mark.slow
def test_one_network_of_all_is_published_with_what_the_folds_tell(
    request_for, without_val
):
    request = dataclasses.replace(request_for("folds"), folds=2)
    version, runs = train_folds(request, dataclasses.replace(CONFIG, epochs=3))
    card = version.card
    assert card.split["train"] == ["a", "b"]
    assert sorted(card.split["folds"]) == [["a"], ["b"]]
    assert card.learned_from() == {"a", "b"}
    means = [
        np.mean([run.history[epoch]["val_mean_defect_iou"] for run in runs])
        for epoch in range(3)
    ]
    best = int(np.argmax(means))
    assert card.metrics["best_epoch"] == best + 1
    scores = card.metrics["scores"]
    assert scores["val_mean_defect_iou"] == pytest.approx(means[best])
    assert card.metrics["calibration"]["split"] == "folds"
    assert "those of 2 networks, each on what it had not seen" in card.limits
    alone = load_model(version)  # one network, and no ensemble of two
    assert alone.count_params() < 1.5 * runs[0].model.count_params()
    again = request_to_resume(request.run_folder / REFIT)  # nothing is left to learn
    resumed, _ = train_folds(again, dataclasses.replace(CONFIG, epochs=3))
    for ours, theirs in zip(
        load_model(resumed).get_weights(), alone.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
