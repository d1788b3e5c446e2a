import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.synthesis.drawing import Grid, pixels_near

GRID = Grid((60, 90), 0.5)


def straight(start, end, step_nm=0.7):
    start, end = np.array(start, float), np.array(end, float)
    count = max(int(np.linalg.norm(end - start) / step_nm), 1)
    return start + np.linspace(0, 1, count + 1)[:, None] * (end - start)


def distance_to_segment(start, end):
    """Give the distance of all pixel centers, by another way."""
    row, column = np.indices(GRID.shape) * 0.5 + 0.25
    points = np.stack([row, column], axis=-1) - start
    leg = np.subtract(end, start)
    part = np.clip(points @ leg / (leg @ leg), 0, 1)
    return np.linalg.norm(points - part[..., None] * leg, axis=-1)


coordinate = st.tuples(st.floats(-5, 35), st.floats(-5, 50))


@given(coordinate, coordinate, st.floats(1.0, 6.0))
@settings(max_examples=60, deadline=None)
def test_distances_to_a_line_are_exact(start, end, reach_nm):
    if math.dist(start, end) < 1:
        return
    expected = distance_to_segment(np.array(start), np.array(end))
    strip = pixels_near(straight((*start, 0), (*end, 9)), GRID, reach_nm)
    count = 0 if strip is None else len(strip.rows)
    assert count == np.count_nonzero(expected < reach_nm)
    if strip is not None:
        np.testing.assert_allclose(
            abs(strip.offset_nm), expected[strip.rows, strip.columns], atol=1e-9
        )


@pytest.mark.parametrize("angle", [0, 17, 45, 80, 90])
def test_area_of_a_drawn_line_is_length_times_width(angle):
    grid = Grid((400, 500), 0.25)
    turn = math.radians(angle)
    leg = 35 * np.array([math.sin(turn), math.cos(turn), 0])
    center = np.array([50.03, 60.11, 0.0])
    strip = pixels_near(straight(center - leg, center + leg), grid, 2.5)
    assert len(strip.rows) * 0.25**2 == pytest.approx(
        70 * 5 + math.pi * 2.5**2, rel=0.01
    )


def test_position_tells_the_depth():
    curve = straight((15.0, 5.0, 0.0), (15.0, 40.0, 70.0))
    strip = pixels_near(curve, GRID, 2.0)
    depth = np.interp(strip.position, np.arange(len(curve)), curve[:, 2])
    column_nm = (strip.columns + 0.5) * 0.5
    within = (column_nm > 5) & (column_nm < 40)
    np.testing.assert_allclose(depth[within], 2 * (column_nm[within] - 5))


def test_sides_have_opposite_signs():
    strip = pixels_near(straight((15.0, 5.0, 0), (15.0, 40.0, 0)), GRID, 2.0)
    above = (strip.rows + 0.5) * 0.5 < 15
    signs = np.sign(strip.offset_nm)
    assert set(signs[above]) == {-signs[~above][0]}


def test_a_line_along_the_beam_is_a_disc():
    curve = straight((15.0, 20.0, 0.0), (15.0, 20.0, 50.0))
    strip = pixels_near(curve, Grid((200, 300), 0.2), 3.0)
    assert len(strip.rows) * 0.04 == pytest.approx(math.pi * 9, rel=0.02)


def test_a_line_outside_the_field_has_no_pixels():
    assert pixels_near(straight((-20, 0, 0), (-20, 30, 0)), GRID, 4.0) is None


def test_window_has_the_pixel_centers_inside():
    window = GRID.window(np.array([5.0, 6.0]), np.array([1.0, 2.0]))
    rows, columns = GRID.centers_nm(window)
    assert (rows.min(), rows.max()) == (4.25, 5.75)
    assert (columns.min(), columns.max()) == (4.25, 7.75)
    assert rows.shape == (4, 1)
    assert columns.shape == (1, 8)
    assert GRID.window(np.array([-9.0, 6.0]), np.array([1.0, 2.0])) is None
