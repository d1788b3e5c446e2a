from dataclasses import replace

import numpy as np
import pytest

from defectkeras.synthesis.fresnel import void_intensity
from defectkeras.synthesis.imaging import Imaging

RADIUS_PX = 14.0


@pytest.fixture
def path_nm():
    row, column = np.indices((80, 110))
    square = (row - 40.0) ** 2 + (column - 50.0) ** 2
    return (2 * np.sqrt(np.maximum(RADIUS_PX**2 - square, 0))).astype(np.float32)


def zones(path_nm):
    row, column = np.indices(path_nm.shape)
    radius = np.hypot(row - 40.0, column - 50.0)
    inside = radius < RADIUS_PX - 3
    rim = (radius > RADIUS_PX) & (radius < RADIUS_PX + 1.5)
    return inside, rim


IMAGING = Imaging(void_absorption_per_nm=0.0, void_phase_per_nm=0.05, defocus_nm=-800.0)


def test_underfocused_voids_are_bright_with_a_dark_rim(path_nm):
    image = void_intensity(path_nm, IMAGING, 1.0)
    inside, rim = zones(path_nm)
    assert image[inside].mean() > 1
    assert image[rim].mean() < 0.97


def test_the_rim_changes_sign_with_defocus(path_nm):
    image = void_intensity(path_nm, replace(IMAGING, defocus_nm=800.0), 1.0)
    inside, rim = zones(path_nm)
    assert image[inside].mean() < 1
    assert image[rim].mean() > 1.03


def test_in_focus_only_absorption_is_left(path_nm):
    focused = replace(IMAGING, defocus_nm=0.0, void_absorption_per_nm=0.01)
    image = void_intensity(path_nm, focused, 1.0)
    assert image[40, 50] == pytest.approx(np.exp(0.01 * 2 * RADIUS_PX), rel=0.01)


def test_intensity_against_the_transport_equation(path_nm):
    """For a weak smooth phase: I = 1 - (lambda df / 2 pi) laplacian(phase)."""
    row, column = np.indices((80, 110))
    bump = np.exp(-((row - 40.0) ** 2 + (column - 50.0) ** 2) / (2 * 8.0**2))
    weak = replace(IMAGING, void_phase_per_nm=0.002, defocus_nm=-300.0)
    image = void_intensity((20 * bump).astype(np.float32), weak, 1.0)
    square = (row - 40.0) ** 2 + (column - 50.0) ** 2
    laplacian = -0.04 * bump * (square / 8.0**4 - 2 / 8.0**2)
    expected = -0.002508 * -300.0 / (2 * np.pi) * laplacian
    np.testing.assert_allclose(image - 1, expected, atol=0.1 * abs(expected).max())


def test_a_foil_without_voids_is_even():
    np.testing.assert_array_equal(
        void_intensity(np.zeros((40, 50), np.float32), IMAGING, 1.0), 1
    )


def test_far_field_is_untouched(path_nm):
    image = void_intensity(path_nm, IMAGING, 1.0)
    np.testing.assert_allclose(image[:, 95:], 1, atol=0.03)
