import csv
import dataclasses

import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import TrainingError
from defectkeras.core.labels import LabelScheme
from defectkeras.datasets.spec import LoadedExample
from defectkeras.pipelines.store import load_store
from defectkeras.training.config import TrainingConfig
from defectkeras.training.precision import with_policy
from defectkeras.training.train import train

pytestmark = pytest.mark.usefixtures("no_pictures")

CONFIG = TrainingConfig(
    epochs=3, steps_per_epoch=4, batch_size=2, patch_size=32, learning_rate=0.01
)


@pytest.fixture(scope="module")
def finished(train_tiny, tmp_path_factory):
    """A run that many tests look at."""
    return train_tiny(tmp_path_factory.mktemp("train") / "run", CONFIG)


@pytest.fixture
def run_training(train_tiny, tmp_path):
    """Train into a folder of the test's own."""

    def run(config=CONFIG, **arguments):
        return train_tiny(tmp_path / "run", config, **arguments)

    return run


def assert_equal_weights(first, second):
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_run_leaves_its_files_and_the_best_weights(finished, build_tiny_model):
    names = {path.name for path in finished.run_folder.iterdir()}
    files = {"config.json", "environment.json", "inputs.json", "history.csv"}
    assert names == files | {"best.weights.h5", "checkpoint.npz", "logs"}
    stored = build_tiny_model(seed=9)
    stored.load_weights(finished.run_folder / "best.weights.h5")
    assert_equal_weights(stored, finished.model)
    scores = [row["val_mean_defect_iou"] for row in finished.history]
    assert finished.best_score == max(scores)
    assert finished.best_epoch == 1 + int(np.argmax(scores))
    assert finished.stop_reason == "finished"
    assert "Trained all epochs" in str(finished)


def test_history_has_a_row_per_epoch(finished):
    with (finished.run_folder / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for row, kept in zip(rows, finished.history, strict=True):
        assert list(row) == list(kept)
        assert float(row["loss"]) == kept["loss"]
    names = {"learning_rate", "seconds", "val_iou_void", "val_recall_dislocation"}
    assert names <= set(rows[0])


def test_reported_scores_are_those_of_the_best_weights(finished, draw_example, scheme):
    example = draw_example((45, 61), seed=2)
    store = load_store([example], scheme)
    image = np.pad(store.example(0)[0], [(0, 1), (0, 1)], mode="symmetric")
    logits = finished.model(image[None, ..., None], training=False).numpy()[0, :45, :61]
    predicted = logits.argmax(axis=-1)
    ious = []
    for k in (1, 2):
        overlap = ((predicted == k) & (example.class_map == k)).sum()
        union = ((predicted == k) | (example.class_map == k)).sum()
        ious.append(overlap / union)
    assert finished.best_score == pytest.approx(np.mean(ious))


@pytest.mark.slow
def test_training_learns(run_training):
    config = dataclasses.replace(CONFIG, epochs=4, steps_per_epoch=30, batch_size=4)
    run = run_training(config)
    assert run.best_score > 0.7
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_same_seed_gives_equal_weights(finished, run_training):
    again = run_training()
    assert_equal_weights(finished.model, again.model)
    losses = [[row["loss"] for row in run.history] for run in (finished, again)]
    assert losses[0] == losses[1]


@pytest.mark.slow
def test_another_seed_gives_other_weights(finished, run_training):
    other = run_training(dataclasses.replace(CONFIG, seed=1))
    pairs = zip(finished.model.get_weights(), other.model.get_weights(), strict=True)
    assert any((a != b).any() for a, b in pairs)


def test_one_map_for_one_defect(build_tiny_model, draw_example, scheme, tmp_path):
    def draw(seed):
        return draw_example((60, 84), seed=seed, classes=(1,))

    binary = LabelScheme(scheme.classes[:2])
    config = dataclasses.replace(CONFIG, loss="0.5*ce + 0.5*dice")
    run = train(
        build_tiny_model(1),
        [draw(0)],
        [draw(1)],
        binary,
        config,
        run_folder=tmp_path / "run",
    )
    assert np.isfinite(run.best_score)
    assert {"val_iou_matrix", "val_iou_void"} <= set(run.history[0])


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains(run_training, build_tiny_model, policy):
    with with_policy(policy):
        model = build_tiny_model()
    run = run_training(model=model)
    assert np.isfinite(run.history[-1]["loss"])
    assert run.model.output.dtype == "float32"
    assert policy in (run.run_folder / "environment.json").read_text()


@pytest.mark.slow
def test_patches_without_annotation_do_no_harm(
    draw_example, scheme, build_tiny_model, tmp_path
):
    example = draw_example((60, 84))
    class_map = np.full((60, 84), NOT_ANNOTATED, np.int32)
    class_map[25:35, 15:25] = example.class_map[25:35, 15:25]
    config = dataclasses.replace(CONFIG, rare_class_fraction=0.0)
    run = train(
        build_tiny_model(),
        [LoadedExample(example.micrograph, class_map)],
        [example],
        scheme,
        config,
        run_folder=tmp_path / "run",
    )
    assert [np.isfinite(row["loss"]) for row in run.history] == [True] * 3


def test_training_stops_early(run_training):
    config = dataclasses.replace(CONFIG, epochs=9, patience=1, learning_rate=1e-12)
    run = run_training(config)
    assert run.stop_reason == "early_stopping"
    assert len(run.history) == run.best_epoch + 1 < 9
    assert f"after epoch {run.best_epoch + 1}" in str(run)


def test_a_chosen_epoch_ends_the_run_and_is_kept(finished, run_training, tmp_path):
    run = run_training(dataclasses.replace(CONFIG, patience=1), keep_epoch=2)
    assert (run.best_epoch, run.stop_reason) == (2, "finished")
    for ours, theirs in zip(run.history, finished.history[:2], strict=True):
        assert ours["loss"] == theirs["loss"]  # the rates are those of three epochs
        assert ours["learning_rate"] == theirs["learning_rate"]
    assert run.best_score == run.history[1]["val_mean_defect_iou"]


def test_a_chosen_epoch_needs_no_defect_to_be_validated_on(
    scheme, draw_example, build_tiny_model, tmp_path
):
    run = train(
        build_tiny_model(),
        [draw_example()],
        [draw_example(classes=())],
        scheme,
        dataclasses.replace(CONFIG, epochs=1),
        run_folder=tmp_path,
        keep_epoch=1,
    )
    assert run.best_epoch == 1


def test_folder_of_a_run_is_not_used_twice(finished, train_tiny):
    with pytest.raises(TrainingError, match="another folder"):
        train_tiny(finished.run_folder, CONFIG)
