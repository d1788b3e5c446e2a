"""Pretraining lowers its error and leaves a file that an encoder takes."""

import keras
import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import StoppedError, TrainingError
from defectkeras.core.micrograph import Micrograph
from defectkeras.models.encoders import build_encoder
from defectkeras.training.environment import seed_everything
from defectkeras.training.pretrain import PretrainingConfig, hidden_error, pretrain

TINY = PretrainingConfig(
    encoder="mobilenet_v2",
    encoder_alpha=0.35,
    epochs=2,
    steps_per_epoch=2,
    batch_size=2,
    patch_size=32,
)


def draw_micrograph(seed):
    y, x = np.mgrid[:70, :90]
    waves = np.sin(0.2 * x + seed) * np.cos(0.1 * y)
    return Micrograph(100 + 50 * waves.astype(np.float32), Calibration(), f"m{seed}")


def run(out, config=TINY, **arguments):
    seed_everything(config.seed)
    return pretrain([draw_micrograph(1), draw_micrograph(2)], config, out, **arguments)


def test_error_counts_hidden_pixels_alone():
    images = np.array([0.2, 0.4, 0.6, 0.8], np.float32).reshape(1, 1, 4, 1)
    hidden = np.array([1, 0, 0, 1], np.float32).reshape(1, 1, 4, 1)
    wanted = np.concatenate([images, hidden], axis=-1)
    error = float(hidden_error(wanted, np.full_like(images, 0.5)))
    assert error == pytest.approx((0.09 + 0.09) / 2)
    assert float(hidden_error(wanted * [1, 0], images)) == 0


@pytest.mark.slow
def test_file_is_taken_by_an_encoder_and_an_interrupted_run_keeps_its_epoch(tmp_path):
    told = []
    done = run(tmp_path / "a.keras", on_progress=lambda *steps: told.append(steps))
    assert len(done.losses) == 2
    assert told == [(i, 4) for i in (1, 2, 3, 4)]
    before, after = (
        build_encoder("mobilenet_v2", alpha=0.35, output_stride=stride, weights=file)
        for stride, file in ((32, None), (16, str(tmp_path / "a.keras")))
    )
    written = keras.saving.load_model(tmp_path / "a.keras")
    for found, wanted in zip(after.weights, written.weights, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert any(
        (trained.numpy() != new).any()
        for trained, new in zip(after.weights, before.weights, strict=True)
    )

    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    again = run(tmp_path / "b.keras", on_progress=interrupt)
    assert again.was_interrupted
    assert again.losses == done.losses[:1]  # one seed, one run
    assert keras.saving.load_model(tmp_path / "b.keras").name == "mobilenet_v2"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.keras", "b.keras"]


def test_interruption_before_the_first_epoch_writes_nothing(tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", interrupt)
    with pytest.raises(StoppedError, match="nothing was written"):
        run(tmp_path / "a.keras")
    assert not (tmp_path / "a.keras").exists()


def test_biases_and_scales_do_not_decay(tmp_path, monkeypatch):
    decayed = set()

    def step(model, *_, **__):
        variables = model.trainable_variables
        before = [v.numpy() + 1 for v in variables]
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        model.optimizer.apply([np.zeros(v.shape, np.float32) for v in variables])
        for variable, value in zip(variables, before, strict=True):
            if (variable.numpy() != value).any():
                decayed.add(variable.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", step)
    with pytest.raises(StoppedError):
        run(tmp_path / "a.keras")
    assert decayed == {"kernel"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "`epochs` must be at least 1"),
        ({"patch_size": 48}, "`patch_size` must be a multiple of 32"),
        ({"patch_size": 0}, "`patch_size`"),
    ],
)
def test_bad_settings_are_told(change, message):
    with pytest.raises(TrainingError, match=message):
        PretrainingConfig(**change)
