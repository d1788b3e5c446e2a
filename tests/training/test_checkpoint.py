"""A run that is killed and resumed ends bit for bit as one that is not."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.training.checkpoint import (
    CHECKPOINT,
    RunState,
    load_checkpoint,
    save_checkpoint,
)
from defectkeras.training.config import TrainingConfig
from defectkeras.training.loss_scale import LossScale
from defectkeras.training.train import train

pytestmark = pytest.mark.usefixtures("no_pictures")

CONFIG = TrainingConfig(
    epochs=3,
    steps_per_epoch=4,
    batch_size=2,
    accumulation_steps=2,
    patch_size=32,
    learning_rate=0.01,
    ema_momentum=0.9,
    precision="float32",
)


def variables(*shapes, value=1.0):
    return {"model": [keras.Variable(np.full(s, value, np.float32)) for s in shapes]}


def contents(folder):
    """Give all arrays of a checkpoint, and its state without the time it took."""
    with np.load(folder / CHECKPOINT) as file:
        arrays = {key: file[key] for key in file.files}
    state = json.loads(str(arrays.pop("state")))
    for row in [state, *state["rows"]]:
        row.pop("seconds")
    return arrays, state


def assert_same_state(first, second):
    (arrays, state), (others, other_state) = contents(first), contents(second)
    assert state == other_state
    assert arrays.keys() == others.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(array, others[key], err_msg=key)


@pytest.fixture(scope="module")
def run_training(scheme, draw_example, build_tiny_model):
    """Train a tiny model with dropout, from the start or from where it stopped."""

    def run(run_folder, config=CONFIG, **arguments):
        model = build_tiny_model(middle=keras.layers.Dropout(0.3, seed=1))
        examples = [draw_example((60, 84))], [draw_example((45, 61), seed=2)]
        return train(
            model, *examples, scheme, config, run_folder=run_folder, **arguments
        )

    return run


@pytest.fixture(scope="module")
def uninterrupted(run_training, tmp_path_factory):
    return run_training(tmp_path_factory.mktemp("whole") / "run")


class Crash(BaseException):
    """Ends a run as if its process had been killed."""


def crash_after(steps):
    def on_progress(progress):
        if (progress.epoch - 1) * CONFIG.steps_per_epoch + progress.step >= steps:
            raise Crash

    return on_progress


def test_state_and_variables_come_back(tmp_path):
    state = RunState(
        epoch=2,
        step=3,
        loss_sum=0.1 + 0.2,
        best_epoch=1,
        best_score=float("nan"),
        loss_scale=LossScale(8.0, 5, is_dynamic=True),
        rows=({"epoch": 1, "val_iou_void": None},),
    )
    save_checkpoint(tmp_path, state, variables((2, 3), (4,), value=0.1))
    read = variables((2, 3), (4,), value=0.0)
    found = load_checkpoint(tmp_path, read)
    np.testing.assert_array_equal(read["model"][0].numpy(), np.float32(0.1))
    assert np.isnan(found.best_score)
    assert dataclasses.replace(found, best_score=None) == dataclasses.replace(
        state, best_score=None
    )
    assert [p.name for p in tmp_path.iterdir()] == [CHECKPOINT]


def test_other_variables_are_refused(tmp_path):
    save_checkpoint(tmp_path, RunState(), variables((2, 3)))
    for other in (variables((3, 2)), variables((2, 3), (1,))):
        with pytest.raises(TrainingError, match="settings"):
            load_checkpoint(tmp_path, other)


def test_damage_is_noticed(tmp_path):
    with pytest.raises(TrainingError, match=r"checkpoint\.npz: must hold"):
        load_checkpoint(tmp_path, variables((2, 3)))
    save_checkpoint(tmp_path, RunState(), variables((20, 30)))
    whole = (tmp_path / CHECKPOINT).read_bytes()
    turned = bytearray(whole)
    turned[len(whole) // 2] ^= 1
    for damaged in (whole[: len(whole) // 2], bytes(turned), b""):
        (tmp_path / CHECKPOINT).write_bytes(damaged)
        with pytest.raises(TrainingError, match=r"checkpoint\.npz: must hold"):
            load_checkpoint(tmp_path, variables((20, 30)))


def test_what_is_no_number_is_not_written(tmp_path):
    save_checkpoint(tmp_path, RunState(), variables((2, 3)))
    with pytest.raises(TrainingError, match=r"stay finite.*epoch 1, step 2"):
        save_checkpoint(tmp_path, RunState(1, 2), variables((2, 3), value=np.inf))
    assert load_checkpoint(tmp_path, variables((2, 3))) == RunState()


def test_full_disk_leaves_the_older_file(tmp_path, full_disk):
    save_checkpoint(tmp_path, RunState(1), variables((20, 30)))
    with full_disk(1000), pytest.raises(OSError, match="File too large"):
        save_checkpoint(tmp_path, RunState(2), variables((20, 30)))
    assert load_checkpoint(tmp_path, variables((20, 30))) == RunState(1)
    assert [p.name for p in tmp_path.iterdir()] == [CHECKPOINT]


@pytest.mark.parametrize("minutes", [0.0, pytest.param(60.0, marks=pytest.mark.slow)])
def test_crashed_run_goes_on_bit_for_bit(
    run_training, uninterrupted, tmp_path, minutes
):
    """With checkpoints after each step, and after each epoch alone."""
    config = dataclasses.replace(CONFIG, checkpoint_minutes=minutes)
    for attempt, steps in enumerate(sorted(random.sample(range(1, 12), 2))):
        with pytest.raises(Crash):
            run_training(
                tmp_path, config, resume=attempt > 0, on_progress=crash_after(steps)
            )
    run = run_training(tmp_path, config, resume=True)
    assert_same_state(tmp_path, uninterrupted.run_folder)
    for a, b in zip(
        run.model.get_weights(), uninterrupted.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_finished_run_goes_on_to_its_end_at_once(run_training, uninterrupted):
    told = []
    again = run_training(uninterrupted.run_folder, resume=True, on_progress=told.append)
    assert told == []
    assert again.history == uninterrupted.history
    assert str(again) == str(uninterrupted)


def test_changed_settings_and_data_are_refused(
    run_training, uninterrupted, scheme, draw_example, build_tiny_model
):
    folder = uninterrupted.run_folder
    changed = dataclasses.replace(CONFIG, learning_rate=0.02, epochs=9)
    told = r"config\.json epochs: 3 before, 9 now; config\.json learning_rate: 0\.01"
    with pytest.raises(TrainingError, match=told):
        run_training(folder, changed, resume=True)
    examples = [draw_example((60, 84), radius=8.0)], [draw_example((45, 61), seed=2)]
    model = build_tiny_model(middle=keras.layers.Dropout(0.3, seed=1))
    with pytest.raises(TrainingError, match=r"inputs\.json train\.0\.class_counts\.0"):
        train(model, *examples, scheme, CONFIG, run_folder=folder, resume=True)
    elsewhere = dataclasses.replace(CONFIG, checkpoint_minutes=1.0, strategy="one")
    run_training(folder, elsewhere, resume=True)  # changes no result


def test_folder_without_a_run_cannot_go_on(run_training, tmp_path):
    with pytest.raises(TrainingError, match="holds no run that can go on"):
        run_training(tmp_path, resume=True)


SCRIPT = """
import os, signal, sys
from pathlib import Path
import keras, numpy as np
from defectkeras.core import files
from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample
from defectkeras.training.config import TrainingConfig
from defectkeras.training.train import train

folder, kill_after, kill_in_write = Path(sys.argv[1]), *map(int, sys.argv[2:])
class_map = np.zeros((40, 56), np.int32)
class_map[5:20, 9:30] = 1
noise = np.random.default_rng(0).normal(0, 0.1, (40, 56))
example = LoadedExample(Micrograph(noise - class_map, Calibration(), "a"), class_map)
scheme = LabelScheme((DefectClass(0, "m", "matrix"), DefectClass(1, "v", "region")))
keras.utils.set_random_seed(0)
image = keras.Input((None, None, 1))
x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
x = keras.layers.BatchNormalization()(keras.layers.Dropout(0.3)(x))
model = keras.Model(image, keras.layers.Conv2D(2, 3, padding="same")(x))
config = TrainingConfig(
    epochs=3, steps_per_epoch=5, batch_size=2, patch_size=32, checkpoint_minutes=0
)
steps = 0
def on_progress(progress):
    global steps
    steps += 1
    if steps == kill_after and not kill_in_write:
        os.kill(os.getpid(), signal.SIGKILL)
sync = files.sync
def sync_or_die(path):
    if kill_in_write and steps >= kill_after:
        os.kill(os.getpid(), signal.SIGKILL)  # written, and not yet renamed
    sync(path)
files.sync = sync_or_die
train(model, [example], [example], scheme, config, run_folder=folder,
      resume=(folder / "checkpoint.npz").exists(), on_progress=on_progress)
"""


def start(folder, kill_after=0, *, kill_in_write=False):
    words = [sys.executable, "-c", SCRIPT, folder, kill_after, int(kill_in_write)]
    process = subprocess.run(
        [str(word) for word in words], stderr=subprocess.PIPE, text=True, check=False
    )
    return process.returncode, process.stderr


@pytest.mark.slow
def test_killed_process_goes_on_bit_for_bit(tmp_path):
    """SIGKILL at random steps, between them and inside the writing of a state."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(whole)[0] == 0
    drawn = [(random.randint(1, 4), in_write) for in_write in (False, True)]
    for kill_after, kill_in_write in drawn:
        code, errors = start(killed, kill_after, kill_in_write=kill_in_write)
        assert code == -signal.SIGKILL, errors
    code, errors = start(killed)
    assert code == 0, errors
    assert_same_state(killed, whole)


@pytest.mark.slow
def test_read_only_folder_is_told(run_training, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("the superuser may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(TrainingError, match="could not be written"):
        run_training(tmp_path / "run")
