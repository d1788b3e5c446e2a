import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from defectkeras.quantification.foil_cut import (
    LOOP_EXTENT,
    mean_seen_diameter_nm,
    moment_weights,
    single_size_diameter_nm,
)


@pytest.mark.parametrize("power", [0, 1, 2, 3])
@pytest.mark.parametrize("extent", [1.0, LOOP_EXTENT, 0.2])
@pytest.mark.parametrize("diameter", [0.5, 7.0, 60.0, 400.0])
def test_weights_solve_the_abel_equation(power, extent, diameter):
    """t u(D) + s integral of u(x) x / sqrt(D^2 - x^2) dx = D^k."""
    thickness = 50.0

    def weight(d):
        return float(
            moment_weights(np.array([d]), thickness, power=power, extent=extent)[0]
        )

    # With x = D sin(a) the singular end goes away.
    cut = quad(
        lambda a: weight(diameter * np.sin(a)) * diameter * np.sin(a), 0, np.pi / 2
    )[0]
    total = thickness * weight(diameter) + extent * cut
    assert total == pytest.approx(diameter**power, rel=1e-7)


@pytest.mark.parametrize("power", [0, 1, 2, 3])
def test_series_and_recursion_meet(power):
    """The weights are smooth where one takes over from the other, x = 0.05."""
    d = 100.0 * np.array([0.0499, 0.04999, 0.05001, 0.0501])
    weights = moment_weights(d, 100.0, power=power) / d**power
    slopes = np.diff(weights) / np.diff(d)
    np.testing.assert_allclose(slopes, slopes[0], rtol=2e-2, atol=1e-9)


@settings(deadline=None)
@given(st.floats(0.1, 30), st.floats(1e4, 1e8))
def test_thick_foils_need_no_correction(diameter, thickness):
    for power in range(4):
        weight = moment_weights(np.array([diameter]), thickness, power=power)[0]
        assert weight == pytest.approx(diameter**power / thickness, rel=0.01)


def test_flat_objects_are_never_cut():
    d = np.array([3.0, 8.0])
    np.testing.assert_allclose(moment_weights(d, 40.0, power=1, extent=0.0), d / 40.0)


def test_power_is_checked():
    with pytest.raises(ValueError, match="0 to 3"):
        moment_weights(np.ones(2), 10.0, power=4)


@pytest.mark.parametrize(
    ("diameter", "thickness", "ratio"), [(20, 50, 0.9387), (100, 100, 0.8927)]
)
def test_mean_seen_diameter(diameter, thickness, ratio):
    """The two values of the facts file."""
    seen = mean_seen_diameter_nm(diameter, thickness)
    assert seen / diameter == pytest.approx(ratio, abs=1e-4)


@settings(deadline=None)
@given(st.floats(0.5, 500), st.floats(1, 500))
def test_single_size_is_the_inverse(diameter, thickness):
    seen = mean_seen_diameter_nm(diameter, thickness)
    assert single_size_diameter_nm(seen, thickness) == pytest.approx(diameter)
