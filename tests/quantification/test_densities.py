import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.core.errors import DefectKerasError
from defectkeras.quantification.densities import (
    dislocation_density_intercepts_per_m2,
    dislocation_density_per_m2,
    number_density_per_m3,
)


def test_worked_values():
    area_nm2 = 640.0**2
    ten_nm = np.full(50, 10.0)

    def density(method):
        return number_density_per_m3(ten_nm, area_nm2, 100.0, method=method)

    assert density("naive") == pytest.approx(1.2207e21, rel=1e-4)
    assert density("thickness_plus_diameter") == pytest.approx(1.1097e21, rel=1e-4)
    length = dislocation_density_per_m2(10_000.0, area_nm2, 100.0)
    assert length == pytest.approx(3.108e14, rel=2e-4)


@pytest.mark.parametrize(
    ("diameter", "thickness", "naive", "corrected"),
    [(20, 50, 1.41, 1.005), (20, 200, 1.10, 1.003), (100, 100, 2.01, 1.005)],
)
def test_known_biases_of_number_densities(diameter, thickness, naive, corrected):
    """Spheres of one size at random depths, against the facts' Monte Carlo."""
    rng = np.random.default_rng(0)
    count, area = 40_000, 1e6
    depth = rng.uniform(-diameter / 2, thickness + diameter / 2, count)
    beyond = np.maximum(np.maximum(-depth, depth - thickness), 0)
    seen = 2 * np.sqrt(diameter**2 / 4 - beyond**2)
    true = count / (area * (thickness + diameter)) * 1e27

    def ratio(method, diameters):
        found = number_density_per_m3(diameters, area, thickness, method=method)
        return found / true

    assert ratio("naive", seen) == pytest.approx(naive, abs=0.02)
    whole = np.full(count, float(diameter))
    assert ratio("thickness_plus_diameter", whole) == pytest.approx(corrected, abs=0.01)
    assert ratio("cut_corrected", seen) == pytest.approx(1.0, abs=0.01)


def test_a_spread_of_sizes_biases_all_but_the_corrected():
    rng = np.random.default_rng(1)
    count, area, thickness = 200_000, 1e6, 40.0
    diameter = 30 * rng.lognormal(0, 0.6, count)
    largest = diameter.max()
    depth = rng.uniform(-largest / 2, thickness + largest / 2, count)
    beyond = np.maximum(np.maximum(-depth, depth - thickness), 0)
    visible = beyond < diameter / 2
    seen = 2 * np.sqrt(diameter[visible] ** 2 / 4 - beyond[visible] ** 2)
    true = count / (area * (thickness + largest)) * 1e27

    def ratio(method):
        return number_density_per_m3(seen, area, thickness, method=method) / true

    assert ratio("naive") > 1.5
    by_mean = number_density_per_m3(
        diameter[visible], area, thickness, method="thickness_plus_diameter"
    )
    assert by_mean / true == pytest.approx(0.916, abs=0.01)  # larger ones show more
    assert ratio("cut_corrected") == pytest.approx(1.0, abs=0.015)


@settings(deadline=None)
@given(st.floats(0.1, 1.0))
def test_invisible_lines_are_made_up_for(fraction):
    visible = dislocation_density_per_m2(500.0, 1e5, 80.0)
    found = dislocation_density_per_m2(500.0, 1e5, 80.0, visible_fraction=fraction)
    assert found == pytest.approx(visible / fraction)


def test_intercepts_and_projected_length_agree_on_isotropic_lines():
    """Ham's 2 N / (L t) and 4/pi l / (A t), true .05012 per area in the facts."""
    rng = np.random.default_rng(0)
    count, length, side, thickness = 200_000, 10.0, 1000.0, 100.0
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    start = rng.uniform(0, side, (count, 2))
    stop = start + length * direction[:, :2]
    projected = np.linalg.norm(stop - start, axis=1).sum()
    lines = np.arange(-20.0, side + 20, 25.0)
    crossed = sum(
        abs(
            np.searchsorted(lines, start[:, k]) - np.searchsorted(lines, stop[:, k])
        ).sum()
        for k in range(2)
    )
    # Parallel lines 25 nm apart, in two directions: L = 2 A / 25.
    test_length = 2 * side**2 / 25.0
    by_length = dislocation_density_per_m2(projected, side**2, thickness)
    by_intercepts = dislocation_density_intercepts_per_m2(
        crossed, test_length, thickness
    )
    true = count * length / (side**2 * thickness) * 1e18
    assert by_length == pytest.approx(true, rel=0.005)
    assert by_intercepts == pytest.approx(true, rel=0.01)
    uncorrected = projected / (side**2 * thickness) * 1e18
    assert uncorrected / true == pytest.approx(1 - 0.215, abs=0.005)


def test_unknown_method():
    with pytest.raises(DefectKerasError, match="Did you mean 'naive'"):
        number_density_per_m3(np.ones(3), 1.0, 1.0, method="naiv")
