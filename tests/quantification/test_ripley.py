import numpy as np
import pytest

from defectkeras.quantification.ripley import default_radii, pair_statistics
from defectkeras.quantification.windows import Window


def test_worked_value_of_four_points():
    points = np.array([[r, c] for r in (0.25, 0.75) for c in (0.25, 0.75)])
    found = pair_statistics(points, Window(1.0, 1.0), np.array([0.6]))
    assert found["k"][0] == pytest.approx(4 / 3)


def test_points_at_random_have_l_of_r_and_g_of_one():
    rng = np.random.default_rng(5)
    window = Window(200.0, 340.0)
    radii = np.linspace(5, 50, 10)
    tables = [pair_statistics(window.draw(rng, 80), window, radii) for _ in range(200)]
    k = np.mean([t["k"] for t in tables], axis=0)
    np.testing.assert_allclose(k, np.pi * radii**2, rtol=0.06)
    np.testing.assert_allclose(np.mean([t["g"] for t in tables], axis=0), 1, atol=0.06)


def test_the_window_with_a_hole_is_corrected_too():
    rng = np.random.default_rng(5)
    field = np.ones((200, 340), bool)
    field[60:140, 100:250] = False
    window = Window.of_field(field)
    radii = np.array([20.0, 40.0])
    tables = [pair_statistics(window.draw(rng, 80), window, radii) for _ in range(200)]
    k = np.mean([t["k"] for t in tables], axis=0)
    np.testing.assert_allclose(k, np.pi * radii**2, rtol=0.06)


def test_radii_stay_below_a_quarter_of_the_window():
    assert default_radii(3, Window(200.0, 340.0))[-1] == 50
    assert default_radii(10_000, Window(200.0, 340.0))[-1] < 50
