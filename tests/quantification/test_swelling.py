import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.core.errors import DefectKerasError
from defectkeras.quantification.swelling import (
    swelling_percent,
    volume_contributions,
    volume_fraction,
    volume_fraction_from_area,
)


def test_worked_value():
    one = volume_fraction(np.array([20.0]), 1e4, 100.0, method="all_visible")
    assert swelling_percent(one) == pytest.approx(0.42064, abs=5e-6)


@pytest.mark.parametrize(
    ("diameter", "thickness", "bias"),
    [(20, 50, 1.24), (20, 200, 1.06), (100, 100, 1.60)],
)
def test_known_bias_of_counting_all_visible_voids(diameter, thickness, bias):
    rng = np.random.default_rng(0)
    count, area = 60_000, 1e6
    depth = rng.uniform(-diameter / 2, thickness + diameter / 2, count)
    beyond = np.maximum(np.maximum(-depth, depth - thickness), 0)
    seen = 2 * np.sqrt(diameter**2 / 4 - beyond**2)
    true = count / (thickness + diameter) * np.pi / 6 * diameter**3 / area

    def ratio(method):
        return volume_fraction(seen, area, thickness, method=method) / true

    assert ratio("all_visible") == pytest.approx(bias, abs=0.02)
    assert ratio("cut_corrected") == pytest.approx(1.0, abs=0.01)
    assert 0.8 < ratio("thickness_plus_diameter") < 1.0


@settings(deadline=None)
@given(st.floats(0.0, 0.5), st.floats(1.0, 50.0))
def test_a_section_shows_the_volume_fraction(area_fraction, diameter):
    """Delesse: without thickness V_V is A_A, but for the overlap."""
    found = volume_fraction_from_area(area_fraction, 0.0, diameter)
    assert found == pytest.approx(-np.log1p(-area_fraction))


def test_area_of_spheres_without_overlap():
    """A_A = V_V (1 + 3 t / (2 D32)) for few spheres."""
    volume, thickness, diameter = 1e-5, 120.0, 15.0
    covered = volume * (1 + 3 * thickness / (2 * diameter))
    found = volume_fraction_from_area(covered, thickness, diameter)
    assert found == pytest.approx(volume, rel=1e-3)


def test_five_percent_in_diameter_is_sixteen_in_swelling():
    d = np.array([12.0, 15.0, 20.0])
    one, more = (
        swelling_percent(volume_fraction(s * d, 1e6, 80.0, method="all_visible"))
        for s in (1.0, 1.05)
    )
    assert more / one == pytest.approx(1.16, abs=0.01)


def test_methods_are_checked():
    with pytest.raises(DefectKerasError, match="Did you mean 'all_visible'"):
        volume_fraction(np.ones(2), 1.0, 1.0, method="all_visibl")
    with pytest.raises(ValueError, match="must be of"):
        volume_contributions(np.ones(2), 1.0, 1.0, method="delesse", weights=np.ones(2))
