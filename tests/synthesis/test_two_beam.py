import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from defectkeras.synthesis.imaging import Imaging
from defectkeras.synthesis.two_beam import (
    _deviations,
    _integrate,
    bright_field,
    compute_line_contrast,
    transmitted_amplitude,
)


@pytest.mark.parametrize("deviation", [-1.3, 0.0, 0.7])
@pytest.mark.parametrize("absorption", [0.0, 0.1])
def test_perfect_crystal_against_matrix_exponential(deviation, absorption):
    coupling = 1 + 1j * absorption
    matrix = np.array(
        [[1j * absorption, coupling], [coupling, 2 * deviation + 1j * absorption]]
    )
    thickness = 3.3
    expected = expm(1j * np.pi * thickness * matrix)[0, 0]
    actual = transmitted_amplitude(np.array(thickness), np.array(deviation), absorption)
    assert actual == pytest.approx(expected, abs=1e-9)


def test_thickness_fringes_repeat_every_extinction_distance():
    thickness = np.linspace(0, 3, 61)
    intensity = bright_field(thickness, np.array(0.0), Imaging(absorption=0.0))
    np.testing.assert_allclose(intensity, np.cos(np.pi * thickness) ** 2, atol=1e-12)


def test_integration_against_a_general_solver():
    """Another implementation, with the gradient of the displacement."""
    offsets, depths = np.array([-0.3, 0.11, 0.4]), np.array([0.0, 0.9, 1.7, 3.5])
    absorption, wave = 0.08, 0.35
    ours = _integrate(offsets, depths, np.array([wave]), absorption)
    for row, x in enumerate(offsets):
        for column, z0 in enumerate(depths):

            def derivative(z, beams, x=x, z0=z0):
                bent = x / (x**2 + (z - z0) ** 2) / (2 * np.pi)
                coupling = 1j * np.pi * (1 + 1j * absorption)
                direct, diffracted = beams
                return [
                    -np.pi * absorption * direct + coupling * diffracted,
                    coupling * direct
                    + (2j * np.pi * (wave + bent) - np.pi * absorption) * diffracted,
                ]

            solution = solve_ivp(
                derivative, (0, depths[-1]), [1 + 0j, 0j], rtol=1e-8, atol=1e-10
            )
            expected = abs(solution.y[0, -1]) ** 2
            assert ours[row, column] == pytest.approx(expected, abs=0.02)


def test_image_of_a_line_is_dark_and_fades_with_distance():
    contrast = compute_line_contrast(Imaging(deviation=0.4), 100.0)
    depth_nm = np.full(3, 50.0)
    near, far = (
        contrast.at(np.zeros(3), depth_nm),
        contrast.at(np.full(3, contrast.reach_nm), depth_nm),
    )
    assert near.max() < -0.3
    np.testing.assert_allclose(far, 0, atol=1e-6)


def test_image_is_centered_on_the_line():
    contrast = compute_line_contrast(Imaging(deviation=0.6), 100.0)
    offsets = np.linspace(-contrast.reach_nm, contrast.reach_nm, 201)
    dark = np.mean(
        [
            np.maximum(-contrast.at(offsets, np.full(201, z)), 0) ** 2
            for z in np.linspace(0, 100, 41)
        ],
        axis=0,
    )
    assert abs(offsets @ dark / dark.sum()) < 0.5


def test_width_follows_the_extinction_distance():
    wide, narrow = (
        compute_line_contrast(Imaging(extinction_distance_nm=d), 100.0)
        for d in (32.0, 16.0)
    )
    assert wide.width_nm == 2 * narrow.width_nm
    assert 4 < compute_line_contrast(Imaging(), 100.0).width_nm < 6


def test_contrast_oscillates_with_depth_near_a_surface_and_a_probe_damps_it():
    parallel = compute_line_contrast(Imaging(deviation_spread=0.0), 120.0)
    convergent = compute_line_contrast(Imaging(deviation_spread=1.5), 120.0)
    depth_nm = np.linspace(6, 60, 100)

    def roughness(contrast):
        return np.abs(np.diff(contrast.at(np.zeros(100), depth_nm), n=2)).sum()

    signs = np.sign(np.diff(parallel.at(np.zeros(100), depth_nm)))
    assert np.count_nonzero(np.diff(signs[signs != 0])) >= 2
    assert roughness(convergent) < roughness(parallel)


def test_deviations_lie_about_the_center():
    assert _deviations(0.3, 0.0).tolist() == [0.3]
    spread = _deviations(0.3, 1.0)
    assert spread.mean() == pytest.approx(0.3)
    assert (spread[0], spread[-1]) == pytest.approx((-0.7, 1.3))
