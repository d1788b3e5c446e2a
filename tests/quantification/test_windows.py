import numpy as np
import pytest

from defectkeras.quantification.windows import Window


def test_a_whole_field_is_a_rectangle():
    window = Window.of_field(np.ones((40, 60), bool))
    assert (window.area, window.perimeter) == (2400, 200)
    assert window.overlaps(np.array([[3.0, -4.0]])).tolist() == [37 * 56]


def test_holes_take_area_points_and_overlap():
    field = np.ones((40, 60), bool)
    field[:, 30:] = False
    window = Window.of_field(field)
    assert (window.area, window.perimeter) == (1200, None)
    shifts = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, -6.0], [-2.25, 0.0]])
    expected = [1200, 35 * 30, 40 * 24, 37.75 * 30]
    assert window.overlaps(shifts) == pytest.approx(expected, rel=1e-4)
    points = window.draw(np.random.default_rng(0), 500)
    assert points.shape == (500, 2)
    assert points[:, 1].max() < 30


def test_large_fields_with_holes_are_looked_at_coarsely():
    field = np.ones((1200, 1500), bool)
    field[:600, :700] = False
    window = Window.of_field(field)
    assert window.overlaps(np.zeros((1, 2)))[0] == pytest.approx(field.sum(), rel=0.01)
