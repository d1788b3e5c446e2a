from dataclasses import replace

import numpy as np
import pytest

from defectkeras.synthesis.detector import blur, record, shift_rows, smear
from defectkeras.synthesis.imaging import Imaging

SHAPE = (200, 300)
CLEAN = Imaging(dose_per_px=400.0, blur_px=0.0)


def test_grey_levels_are_whole_and_fit_16_bits():
    image = np.full(SHAPE, 4.0, np.float32)
    levels = record(np.random.default_rng(0), image, replace(CLEAN, dose_per_px=50.0))
    assert levels.dtype == np.float32
    np.testing.assert_array_equal(levels, np.rint(levels))
    assert 0 <= levels.min() <= levels.max() <= 65535


def test_shot_noise_is_that_of_the_dose():
    dark, bright = np.full(SHAPE, 0.5, np.float32), np.full(SHAPE, 1.5, np.float32)
    seen = [record(np.random.default_rng(3), i, CLEAN) for i in (dark, bright)]
    gain = (seen[1].mean() - seen[0].mean()) / 400
    for levels, intensity in zip(seen, (0.5, 1.5), strict=True):
        assert levels.var() == pytest.approx(gain**2 * 400 * intensity, rel=0.03)


def test_blur_spreads_a_point_and_keeps_the_sum():
    point = np.zeros((41, 61), np.float32)
    point[20, 30] = 100
    blurred = blur(point, 2.0)
    assert blurred.sum() == pytest.approx(100, rel=1e-4)
    rows = np.arange(41) - 20.0
    assert np.sum(blurred.sum(axis=1) * rows**2) / 100 == pytest.approx(4, rel=0.03)
    np.testing.assert_array_equal(blur(point, 0.0), point)


def test_rows_jitter_about_their_place():
    image = np.broadcast_to(np.arange(300, dtype=np.float32), SHAPE).copy()
    imaging = replace(CLEAN, line_jitter_px=0.3, drift_px=0.0)
    shifted = shift_rows(np.random.default_rng(0), image, imaging) - image
    rows = shifted[:, 50:250].mean(axis=1)
    assert rows.std() == pytest.approx(0.3, rel=0.2)
    assert abs(rows.mean()) < 0.06
    np.testing.assert_allclose(shifted[:, 50:250].std(axis=1), 0, atol=0.02)


def test_scan_drift_is_slow_and_has_no_mean():
    image = np.broadcast_to(np.arange(300, dtype=np.float32), SHAPE).copy()
    imaging = replace(CLEAN, line_jitter_px=1e-6, drift_px=1.0)
    shifted = shift_rows(np.random.default_rng(1), image, imaging) - image
    rows = shifted[:, 50:250].mean(axis=1)
    assert abs(rows.mean()) < 0.02
    assert rows.std() > 0.2
    assert abs(np.diff(rows)).max() < 0.2


def test_smear_is_centered_and_as_long_as_the_drift():
    point = np.zeros((41, 61), np.float32)
    point[20, 30] = 1
    smeared = smear(np.random.default_rng(0), point, 6.0)
    assert smeared.sum() == pytest.approx(1, rel=1e-5)
    row, column = np.indices(point.shape)
    assert np.sum(smeared * row) == pytest.approx(20, abs=1e-3)
    assert np.sum(smeared * column) == pytest.approx(30, abs=1e-3)
    spread = np.sum(smeared * ((row - 20) ** 2 + (column - 30) ** 2))
    assert np.sqrt(spread) == pytest.approx(6 / np.sqrt(12), rel=0.25)


def test_scan_and_parallel_beam_differ():
    image = np.random.default_rng(0).uniform(0.5, 1.5, SHAPE).astype(np.float32)
    still = record(np.random.default_rng(1), image, CLEAN)
    scanned = record(
        np.random.default_rng(1),
        image,
        replace(CLEAN, line_jitter_px=0.2, row_gain=0.01),
    )
    assert not np.array_equal(still, scanned)
