"""The line process against the laws of stereology (Ham; Hilliard)."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.synthesis.lines import (
    Box,
    clip_to_foil,
    draw_lines,
    mean_stretch,
    segment_lengths,
)

BOX = Box(np.zeros(3), np.array([260.0, 340.0, 100.0]))
DENSITY_PER_NM2 = 1e-3
NUM_FOILS = 60


def draw(seed, box=BOX, slope=0.35, step_nm=3.0):
    return draw_lines(
        np.random.default_rng(seed),
        box,
        density_per_nm2=DENSITY_PER_NM2,
        slope=slope,
        step_nm=step_nm,
    )


def elements(seeds, box=BOX):
    """Give middles (N, 3), legs (N, 3) and foil (N,) of all elements in a box."""
    middles, legs, foil = [], [], []
    for seed in seeds:
        for curve in draw(seed, box):
            middle = (curve[1:] + curve[:-1]) / 2
            inside = np.all((middle > box.low_nm) & (middle < box.high_nm), axis=1)
            middles.append(middle[inside])
            legs.append(np.diff(curve, axis=0)[inside])
            foil.append(np.full(np.count_nonzero(inside), seed))
    return np.concatenate(middles), np.concatenate(legs), np.concatenate(foil)


@pytest.fixture(scope="module")
def foils():
    return elements(range(NUM_FOILS))


def sum_by_foil(values, foil, num_foils=NUM_FOILS):
    return np.bincount(foil, weights=values, minlength=num_foils)


def assert_mean(values, expected, largest_error=0.06):
    """Assert a mean within three standard errors, which must be small."""
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert error < largest_error * abs(expected)
    assert abs(np.mean(values) - expected) < 3 * error


def test_density_is_the_nominal_one(foils):
    _, legs, foil = foils
    length_nm = sum_by_foil(np.linalg.norm(legs, axis=1), foil)
    assert_mean(length_nm / BOX.volume_nm3, DENSITY_PER_NM2)


def test_projected_length_times_4_over_pi_gives_the_length(foils):
    _, legs, foil = foils
    length_nm = sum_by_foil(np.linalg.norm(legs, axis=1), foil)
    projected_nm = sum_by_foil(np.linalg.norm(legs[:, :2], axis=1), foil)
    difference = 4 / math.pi * projected_nm - length_nm
    error = np.std(difference, ddof=1) / math.sqrt(NUM_FOILS)
    assert error < 0.02 * length_nm.mean()
    assert abs(difference.mean()) < 3 * error


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_plane_is_crossed_half_the_density_times(foils, axis):
    """N_A = rho / 2 for isotropic lines, whatever the plane."""
    middles, legs, foil = foils
    level = BOX.high_nm[axis] / 2
    crosses = abs(middles[:, axis] - level) < abs(legs[:, axis]) / 2
    area_nm2 = BOX.volume_nm3 / BOX.high_nm[axis]
    assert_mean(sum_by_foil(crosses, foil) / area_nm2, DENSITY_PER_NM2 / 2)


def test_elements_have_no_preferred_direction(foils):
    """The length-weighted mean of d d^T is a third of the unit matrix."""
    _, legs, _ = foils
    length_nm = np.linalg.norm(legs, axis=1)
    tensor = (legs / length_nm[:, None]).T @ legs / length_nm.sum()
    np.testing.assert_allclose(tensor, np.eye(3) / 3, atol=0.03)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_no_edge_is_depleted(foils, axis):
    """Slabs at both faces hold their part of the length."""
    middles, legs, foil = foils
    place = middles[:, axis] / BOX.high_nm[axis]
    length_nm = np.linalg.norm(legs, axis=1) * ((place < 0.2) | (place > 0.8))
    expected_nm = 0.4 * DENSITY_PER_NM2 * BOX.volume_nm3
    assert_mean(sum_by_foil(length_nm, foil), expected_nm)


def test_density_holds_for_a_long_thin_field():
    box = Box(np.zeros(3), np.array([60.0, 700.0, 40.0]))
    _, legs, foil = elements(range(40), box)
    length_nm = sum_by_foil(np.linalg.norm(legs, axis=1), foil, 40)
    assert_mean(length_nm / box.volume_nm3, DENSITY_PER_NM2, largest_error=0.08)


@pytest.mark.parametrize("slope", [0.0, 0.02, 0.05, 0.35, 0.8])
def test_stretch_against_random_slopes(slope):
    slopes = slope * np.random.default_rng(0).normal(size=(200_000, 2))
    expected = np.sqrt(1 + np.sum(slopes**2, axis=1)).mean()
    assert mean_stretch(slope) == pytest.approx(expected, rel=2e-3)


def test_straight_lines_are_straight():
    for curve in draw(1, slope=0.0)[:20]:
        legs = np.diff(curve, axis=0)
        np.testing.assert_allclose(legs, np.broadcast_to(legs[0], legs.shape))


def test_same_seed_gives_the_same_curves():
    for first, second in zip(draw(5), draw(5), strict=True):
        np.testing.assert_array_equal(first, second)


points = st.tuples(*[st.integers(-500, 1500).map(lambda n: n / 10)] * 3)


@given(points, points)
@settings(max_examples=80, deadline=None)
def test_length_in_a_box_against_fine_steps(start, end):
    box = Box(np.array([0.05, 10.05, 20.05]), np.array([80.05, 70.05, 90.05]))
    ends = np.array([start, end])
    steps = 20_000
    part = ((np.arange(steps) + 0.5) / steps)[:, None]
    fine = ends[0] + part * (ends[1] - ends[0])
    inside = np.all((fine >= box.low_nm) & (fine <= box.high_nm), axis=1).mean()
    length, projected = segment_lengths(ends, box)
    leg = ends[1] - ends[0]
    assert length == pytest.approx(inside * np.linalg.norm(leg), abs=0.1)
    assert projected == pytest.approx(inside * np.linalg.norm(leg[:2]), abs=0.1)


def test_clipping_cuts_at_both_surfaces():
    along = np.linspace(0, 4 * np.pi, 400)
    curve = np.stack([10 * along, 0 * along, 50 + 80 * np.sin(along)], axis=1)
    pieces = clip_to_foil(curve, 100.0)
    assert len(pieces) == 5  # up, down, up, down, up through the foil
    for piece in pieces:
        assert piece[:, 2].min() >= 0
        assert piece[:, 2].max() <= 100
    for piece in pieces[1:-1]:
        assert {round(z, 9) for z in piece[[0, -1], 2]} == {0.0, 100.0}
    wide = Box(np.array([-1e3, -1e3, 0.0]), np.array([1e3, 1e3, 100.0]))
    length = sum(segment_lengths(piece, wide)[0] for piece in pieces)
    assert length == pytest.approx(segment_lengths(curve, wide)[0])


def test_a_curve_outside_the_foil_is_gone():
    curve = np.array([[0.0, 0.0, -5.0], [3.0, 9.0, -1.0]])
    assert clip_to_foil(curve, 100.0) == []
