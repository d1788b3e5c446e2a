"""What is measured, against pictures that were drawn to have it."""

import numpy as np
import pytest

from defectkeras.datasets.appearance import (
    brightness_slope,
    class_contrasts,
    grey_range,
    scan_roughness,
)

SHAPE = (90, 130)


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(1000, 20, SHAPE)


def test_contrast_has_a_sign_and_no_unit(noise):
    class_map = np.zeros(SHAPE, np.int32)
    class_map[20:40, 30:60], class_map[50:70, 30:60], class_map[:5] = 1, 2, -1
    pixels = noise - 300 * (class_map == 1) + 100 * (class_map == 2)
    expected = [0, -300 / grey_range(pixels), 100 / grey_range(pixels), None]
    for scale in (1, 1e-4):
        found = class_contrasts(scale * pixels, class_map, num_classes=4)
        assert found[3] is None
        np.testing.assert_allclose(found[:3], expected[:3], atol=0.02)


def test_contrast_needs_a_matrix(noise):
    ones = np.ones(SHAPE, np.int32)
    assert class_contrasts(noise, ones, num_classes=2) == (None, None)


def test_scan_lines_that_do_not_fit_are_rough(noise):
    assert scan_roughness(noise) == pytest.approx(1, abs=0.03)
    lines = np.random.default_rng(1).normal(0, 20, (SHAPE[0], 1))
    assert scan_roughness(noise + lines) > 1.2
    assert scan_roughness((noise + lines).T) < 0.8


@pytest.mark.parametrize(("rows", "columns"), [(300, 0), (0, -300), (180, 240)])
def test_slope_of_a_plane_is_found(rows, columns):
    row, column = np.indices(SHAPE) / np.reshape(SHAPE, (2, 1, 1))
    plane = rows * row + columns * column
    expected = np.hypot(rows, columns) / grey_range(plane)
    assert brightness_slope(plane) == pytest.approx(expected, rel=0.02)


def test_nothing_is_found_in_a_flat_picture(noise):
    assert brightness_slope(noise) < 0.05
    flat = np.zeros(SHAPE)
    assert brightness_slope(flat) == scan_roughness(flat) == 0
