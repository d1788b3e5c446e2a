import csv
import dataclasses
import resource
import signal

import keras
import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import StoppedError, TrainingError
from defectkeras.core.labels import LabelScheme
from defectkeras.datasets.spec import LoadedExample
from defectkeras.pipelines.store import load_store
from defectkeras.training.config import TrainingConfig
from defectkeras.training.interruption import Terminated
from defectkeras.training.precision import with_policy
from defectkeras.training.prepare import resolve_class_weights
from defectkeras.training.train import train
from defectkeras.training.validation import validate

pytestmark = pytest.mark.usefixtures("no_pictures")

CONFIG = TrainingConfig(
    epochs=3, steps_per_epoch=4, batch_size=2, patch_size=32, learning_rate=0.01
)


@pytest.fixture(scope="module")
def train_tiny(scheme, draw_example, build_tiny_model):
    """Train a tiny model on two drawn micrographs; validate on a third."""

    def run(run_folder, config=CONFIG, *, model=None, **arguments):
        train_examples = [draw_example((60, 84)), draw_example((50, 40), seed=1)]
        return train(
            model or build_tiny_model(),
            train_examples,
            [draw_example((45, 61), seed=2)],
            scheme,
            config,
            run_folder=run_folder,
            **arguments,
        )

    return run


@pytest.fixture(scope="module")
def finished(train_tiny, tmp_path_factory):
    """A run that many tests look at."""
    return train_tiny(tmp_path_factory.mktemp("train") / "run")


@pytest.fixture
def run_training(train_tiny, tmp_path):
    """Train into a folder of the test's own."""

    def run(config=CONFIG, **arguments):
        return train_tiny(tmp_path / "run", config, **arguments)

    return run


def assert_equal_weights(first, second):
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def interrupt_at(epoch, step=1):
    def on_progress(progress):
        if (progress.epoch, progress.step) == (epoch, step):
            signal.raise_signal(signal.SIGINT)

    return on_progress


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
    assert all(np.isfinite(row["loss"]) for row in run.history)


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


def test_interrupt_saves_and_says_how_to_go_on(run_training, tmp_path):
    expected = r"in epoch 3 after step 1, and saved\. Go on with: .*--resume .*run"
    with pytest.raises(StoppedError, match=expected) as stopped:
        run_training(on_progress=interrupt_at(epoch=3))
    assert stopped.value.__cause__ is None
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 3
    assert (tmp_path / "run" / "best.weights.h5").exists()


def test_interrupt_in_the_last_validation_stops_and_the_rest_goes_on(
    run_training, tmp_path, monkeypatch
):
    """Else what follows a training would begin, and be published."""

    def interrupted(*arguments, **options):
        signal.raise_signal(signal.SIGTERM)
        return validate(*arguments, **options)

    monkeypatch.setattr("defectkeras.training.loop.validate", interrupted)
    with pytest.raises(StoppedError, match="Stopped after epoch 1, and") as stopped:
        run_training(config=dataclasses.replace(CONFIG, epochs=1))
    assert isinstance(stopped.value.__cause__, Terminated)
    monkeypatch.undo()
    run = run_training(config=dataclasses.replace(CONFIG, epochs=1), resume=True)
    assert run.best_epoch == 1


@keras.saving.register_keras_serializable(package="defectkeras_tests")
class SpoilAfter(keras.layers.Layer):
    """Gives NaN from a certain training step on."""

    def __init__(self, steps, **arguments):
        super().__init__(**arguments)
        self.steps = steps

    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.count.assign_add(1)
            x = x * keras.ops.where(self.count > self.steps, np.nan, 1.0)
        return x


def test_bad_loss_names_epoch_step_and_files(run_training, build_tiny_model, tmp_path):
    model = build_tiny_model(middle=SpoilAfter(6))
    expected = r"nan, in epoch 2, step 3, with patches of field_\d.*kept in .*best\.we"
    with pytest.raises(TrainingError, match=expected):
        run_training(model=model)
    stored = build_tiny_model(middle=SpoilAfter(6))
    stored.load_weights(tmp_path / "run" / "best.weights.h5")
    assert all(np.isfinite(w).all() for w in stored.get_weights())
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 2


def test_bad_weights_after_the_last_step_are_not_kept(run_training, tmp_path):
    config = dataclasses.replace(
        CONFIG,
        steps_per_epoch=1,
        warmup_epochs=0,
        learning_rate=1e30,
        weight_decay=1e30,
    )
    with pytest.raises(TrainingError, match="weights must stay finite"):
        run_training(config)
    assert not (tmp_path / "run" / "best.weights.h5").exists()


def test_no_validation_split_says_what_to_do(scheme, draw_example, build_tiny_model):
    with pytest.raises(TrainingError, match=r"\[split\]"):
        train(build_tiny_model(), [draw_example()], [], scheme, CONFIG, run_folder="x")


def test_split_without_defects_is_named(scheme, draw_example, build_tiny_model):
    examples = [draw_example()], [draw_example(classes=())]
    with pytest.raises(TrainingError, match=r'"val".*void, dislocation'):
        train(build_tiny_model(), *examples, scheme, CONFIG, run_folder="x")


def test_model_and_scheme_must_fit(run_training, build_tiny_model):
    with pytest.raises(TrainingError, match="num_classes=3"):
        run_training(model=build_tiny_model(4))
    with pytest.raises(TrainingError, match="num_classes=3"):
        run_training(model=build_tiny_model(1))


def test_patch_size_must_fit_the_stride(run_training):
    with pytest.raises(TrainingError, match="multiple of the model's stride, 2"):
        run_training(dataclasses.replace(CONFIG, patch_size=33))


def test_folder_of_a_run_is_not_used_twice(finished, train_tiny):
    with pytest.raises(TrainingError, match="another folder"):
        train_tiny(finished.run_folder)


def test_folder_that_cannot_be_written_is_named(train_tiny, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(TrainingError, match=r"file.*could not be written"):
        train_tiny(tmp_path / "file" / "run")


def test_full_disk_at_the_start_is_told(run_training, full_disk):
    with (
        full_disk(100),
        pytest.raises(TrainingError, match=r"(?i)free some space"),
    ):
        run_training()


def test_full_disk_in_mid_run_keeps_the_best_weights(
    run_training, build_tiny_model, tmp_path
):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_disk(progress):
        if progress.epoch == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))

    try:
        with pytest.raises(TrainingError, match=r"(?i)free some space"):
            run_training(on_progress=fill_disk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    build_tiny_model().load_weights(tmp_path / "run" / "best.weights.h5")
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 2


def test_class_weights_follow_their_rule(scheme, draw_example):
    store = load_store([draw_example()], scheme)
    counts = store.class_counts[0]
    frequency = counts / counts.sum()
    expected = np.clip(np.median(frequency) / frequency, 1 / 3, 3)
    config = dataclasses.replace(
        CONFIG, class_weights="median_frequency", class_weight_cap=3.0
    )
    np.testing.assert_allclose(resolve_class_weights(config, store), expected)
    none = dataclasses.replace(CONFIG, class_weights="none")
    assert resolve_class_weights(none, store) is None
    given = dataclasses.replace(CONFIG, class_weights=(1.0, 2.0, 3.0))
    assert resolve_class_weights(given, store) == (1.0, 2.0, 3.0)


def test_wrong_number_of_class_weights_is_an_error(run_training):
    config = dataclasses.replace(CONFIG, class_weights=(1.0, 2.0))
    with pytest.raises(TrainingError, match="3 class weights"):
        run_training(config)
