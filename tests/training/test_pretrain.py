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
def test_file_is_taken_by_an_encoder_and_runs_are_equal(tmp_path):
    told = []
    done = run(tmp_path / "a.keras", on_progress=lambda *steps: told.append(steps))
    again = run(tmp_path / "b.keras")
    assert done.losses == again.losses
    assert len(done.losses) == 2
    assert told == [(i, 4) for i in (1, 2, 3, 4)]
    before = build_encoder("mobilenet_v2", alpha=0.35)
    encoders = [
        build_encoder(
            "mobilenet_v2", alpha=0.35, output_stride=16, weights=str(tmp_path / name)
        )
        for name in ("a.keras", "b.keras")
    ]
    for first, second in zip(*(e.get_weights() for e in encoders), strict=True):
        np.testing.assert_array_equal(first, second)
    changed = encoders[0].get_layer("encoder_bn_Conv1").get_weights()
    assert any(
        (c != b).any()
        for c, b in zip(
            changed, before.get_layer("encoder_bn_Conv1").get_weights(), strict=True
        )
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.keras", "b.keras"]


@pytest.mark.slow
def test_interruption_keeps_the_last_epoch(tmp_path):
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    done = run(tmp_path / "a.keras", on_progress=interrupt)
    assert done.was_interrupted
    assert len(done.losses) == 1
    assert keras.saving.load_model(tmp_path / "a.keras").name == "mobilenet_v2"

    def interrupt_at_once(done, total):
        raise KeyboardInterrupt

    with pytest.raises(StoppedError, match="nothing was written"):
        run(tmp_path / "b.keras", on_progress=interrupt_at_once)
    assert not (tmp_path / "b.keras").exists()


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
