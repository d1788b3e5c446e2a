import math

import numpy as np
import pytest

from defectkeras.synthesis.bodies import draw_rotation
from defectkeras.synthesis.loops import Loop, make_loop

ROW, COLUMN = (np.arange(n)[:, None] * 0.25 for n in (320, 400))
COLUMN = COLUMN.T


def loop(tilt_degrees, center=(40.0, 50.0, 50.0)):
    tilt = math.radians(tilt_degrees)
    normal = np.array([math.sin(tilt) * 0.6, math.sin(tilt) * 0.8, math.cos(tilt)])
    return Loop(np.array(center), 15.0, normal)


def area_nm2(mask):
    return np.count_nonzero(mask) * 0.25**2


@pytest.mark.parametrize("tilt", [0, 30, 60])
def test_projection_is_an_ellipse(tilt):
    mask = loop(tilt).mask(ROW, COLUMN, foil_thickness_nm=100, smallest_width_nm=4)
    expected = math.pi * 15**2 * math.cos(math.radians(tilt))
    assert area_nm2(mask) == pytest.approx(expected, rel=0.01)


def test_edge_on_loop_is_as_wide_as_a_line():
    mask = loop(90).mask(ROW, COLUMN, foil_thickness_nm=100, smallest_width_nm=4)
    assert area_nm2(mask) == pytest.approx(math.pi * 15 * 2, rel=0.02)


def test_surface_cuts_half_of_a_loop_on_it():
    cut = loop(60, (40.0, 50.0, 0.0))
    mask = cut.mask(ROW, COLUMN, foil_thickness_nm=100, smallest_width_nm=4)
    assert area_nm2(mask) == pytest.approx(math.pi * 15**2 * 0.5 / 2, rel=0.02)


@pytest.mark.parametrize("tilt", [0, 25, 70, 90])
def test_outline_is_a_circle_in_the_plane(tilt):
    tilted = loop(tilt)
    outline = tilted.outline_nm()
    arms = outline - tilted.center_nm
    np.testing.assert_allclose(np.linalg.norm(arms, axis=1), 15)
    np.testing.assert_allclose(arms @ tilted.normal, 0, atol=1e-9)
    np.testing.assert_allclose(outline[0], outline[-1])
    extent = abs(arms).max(axis=0)
    np.testing.assert_allclose(extent, tilted.half_extent_nm, atol=0.05)


def test_contrast_vanishes_across_the_diffraction_vector():
    flat = loop(0)
    direction = math.radians(90)  # along the rows
    strength = flat.arc_strength(flat.outline_nm(), direction)
    arms = flat.outline_nm() - flat.center_nm
    assert strength[np.argmin(abs(arms[:, 0]))] < 0.2
    assert strength[np.argmax(abs(arms[:, 0]))] > 0.99


def test_loops_lie_on_octahedral_planes():
    rng = np.random.default_rng(0)
    rotation = draw_rotation(rng)
    normals = np.array([make_loop(20.0, rotation, rng).normal for _ in range(40)])
    in_crystal = normals @ rotation
    np.testing.assert_allclose(abs(in_crystal), 1 / math.sqrt(3))
    assert len(np.unique(np.round(in_crystal, 6), axis=0)) == 4
