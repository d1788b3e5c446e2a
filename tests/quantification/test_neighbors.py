import numpy as np
import pytest

from defectkeras.quantification.neighbors import clark_evans
from defectkeras.quantification.windows import Window


def test_worked_value_of_four_points():
    points = np.array([[r, c] for r in (0.25, 0.75) for c in (0.25, 0.75)])
    found = clark_evans(points, Window(1.0, 1.0))
    assert found.naive == 2.0
    assert found.donnelly == pytest.approx(1.5528, abs=1e-4)


def test_points_at_random_are_one_with_donnelly_and_more_without():
    rng = np.random.default_rng(2)
    window = Window(300.0, 420.0)
    found = [clark_evans(window.draw(rng, 40), window) for _ in range(400)]
    assert np.mean([f.donnelly for f in found]) == pytest.approx(1.0, abs=0.015)
    assert np.mean([f.naive for f in found]) > 1.05
    assert np.mean([f.p_value < 0.05 for f in found]) == pytest.approx(0.05, abs=0.035)


def test_few_points_in_a_long_window_are_as_often_significant_as_they_should():
    """There the part of the border in the variance is as large as the other one."""
    rng = np.random.default_rng(5)
    window = Window(100.0, 300.0)
    found = [clark_evans(window.draw(rng, 10), window).p_value for _ in range(2000)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.015)
    assert np.mean(np.array(found) < 0.5) == pytest.approx(0.5, abs=0.035)


def test_clustered_and_ordered():
    rng = np.random.default_rng(0)
    window = Window(300.0, 420.0)
    clusters = (window.draw(rng, 12)[:, None] + rng.normal(0, 3, (12, 8, 2))).reshape(
        -1, 2
    )
    grid = np.stack(np.meshgrid(np.arange(15, 300, 30), np.arange(15, 420, 30)), -1)
    assert clark_evans(clusters, window).donnelly < 0.5
    assert clark_evans(grid.reshape(-1, 2).astype(float), window).donnelly > 1.7


def test_no_donnelly_in_a_window_with_holes():
    field = np.ones((40, 60), bool)
    field[:20, :20] = False
    found = clark_evans(np.array([[30.0, 10.0], [30.0, 50.0]]), Window.of_field(field))
    assert found.donnelly is None
    assert found.p_value is None
