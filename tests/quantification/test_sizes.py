import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from defectkeras.quantification.sizes import (
    fit_lognormal,
    mean_diameter,
    size_distribution,
    size_edges,
)

DIAMETERS = np.array([5.0, 7, 8, 10, 12, 15, 20])


def test_lognormal_worked_value():
    fit = fit_lognormal(DIAMETERS)
    assert fit.mu == pytest.approx(2.303723, abs=1e-6)
    assert fit.sigma == pytest.approx(0.436798, abs=1e-6)
    assert fit.mean == pytest.approx(11.0135, abs=1e-4)
    assert fit.median == pytest.approx(np.exp(2.303723), rel=1e-6)


def test_lognormal_agrees_with_scipy():
    shape, _, scale = stats.lognorm.fit(DIAMETERS, floc=0)
    fit = fit_lognormal(DIAMETERS)
    assert (fit.sigma, fit.median) == pytest.approx((shape, scale), rel=1e-4)


def test_weights_repeat_objects():
    weights = np.array([1.0, 2, 1, 3, 1, 1, 2])
    repeated = np.repeat(DIAMETERS, weights.astype(int))
    found, expected = fit_lognormal(DIAMETERS, weights), fit_lognormal(repeated)
    assert (found.mu, found.sigma) == pytest.approx((expected.mu, expected.sigma))


@pytest.mark.parametrize("log_sd", [0.0, 0.3, 0.6])
def test_mean_diameter_of_cut_spheres(log_sd):
    rng = np.random.default_rng(2)
    thickness, count = 40.0, 300_000
    diameter = 30 * rng.lognormal(0, log_sd, count)
    largest = diameter.max()
    depth = rng.uniform(-largest / 2, thickness + largest / 2, count)
    beyond = np.maximum(np.maximum(-depth, depth - thickness), 0)
    visible = beyond < diameter / 2
    seen = 2 * np.sqrt(diameter[visible] ** 2 / 4 - beyond[visible] ** 2)
    found = {
        method: mean_diameter(seen, method=method, foil_thickness_nm=thickness)
        / diameter.mean()
        for method in ("cut_corrected", "single_size", "apparent")
    }
    assert found["cut_corrected"] == pytest.approx(1.0, abs=0.01)
    if log_sd == 0:
        assert found["single_size"] == pytest.approx(1.0, abs=0.01)
        expected = (thickness + np.pi / 4 * 30) / (thickness + 30)
        assert found["apparent"] == pytest.approx(expected, abs=0.01)
    else:  # large spheres are seen more often
        assert found["single_size"] > 1.02


def test_thickness_is_needed():
    with pytest.raises(ValueError, match="foil_thickness_nm"):
        mean_diameter(DIAMETERS)


@settings(deadline=None)
@given(arrays(float, st.integers(1, 60), elements=st.floats(0.5, 200)))
@example(np.array([0.5, np.nextafter(0.5, 1)]))
def test_histogram_keeps_all_objects(diameters):
    weights = np.linspace(1, 2, len(diameters))
    table = size_distribution(diameters, weights)
    assert table["count"].sum() == len(diameters)
    assert table["weighted_count"].sum() == pytest.approx(weights.sum())
    area = table["probability_density"] * (table["high"] - table["low"])
    assert area.sum() == pytest.approx(1.0)


def test_dropped_objects_are_not_in_the_histogram():
    weights = np.array([1.0, 0, 1, 1, 0, 1, 1])
    assert size_distribution(DIAMETERS, weights)["count"].sum() == 5
    assert len(size_distribution(DIAMETERS, np.zeros(7))) == 0


def test_a_single_small_size_has_no_class_below_zero():
    np.testing.assert_allclose(size_edges(np.array([0.4]), 7), 0.2 + 0.1 * np.arange(8))
    np.testing.assert_allclose(size_edges(np.full(3, 6.0), 2), [5.5, 6.0, 6.5])
