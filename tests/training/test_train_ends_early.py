"""What does not let a training begin, and what ends it before its time."""

import dataclasses
import resource
import signal

import keras
import numpy as np
import pytest

from defectkeras.core.errors import StoppedError, TrainingError
from defectkeras.training.config import TrainingConfig
from defectkeras.training.interruption import Terminated
from defectkeras.training.train import train
from defectkeras.training.validation import validate

pytestmark = pytest.mark.usefixtures("no_pictures")

CONFIG = TrainingConfig(
    epochs=3, steps_per_epoch=4, batch_size=2, patch_size=32, learning_rate=0.01
)


@pytest.fixture
def run_training(train_tiny, tmp_path):
    """Train into a folder of the test's own."""

    def run(config=CONFIG, **arguments):
        return train_tiny(tmp_path / "run", config, **arguments)

    return run


def interrupt_at(epoch, step=1):
    def on_progress(progress):
        if (progress.epoch, progress.step) == (epoch, step):
            signal.raise_signal(signal.SIGINT)

    return on_progress


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
    assert {bool(np.isfinite(w).all()) for w in stored.get_weights()} == {True}
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


def test_folder_that_cannot_be_written_is_named(train_tiny, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(TrainingError, match=r"file.*could not be written"):
        train_tiny(tmp_path / "file" / "run", CONFIG)


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


def test_wrong_number_of_class_weights_is_an_error(run_training):
    config = dataclasses.replace(CONFIG, class_weights=(1.0, 2.0))
    with pytest.raises(TrainingError, match="3 class weights"):
        run_training(config)
