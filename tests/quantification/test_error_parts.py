import dataclasses

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.error_parts import add_model_part, widen
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.results import Quantity


def test_thickness_and_pixel_size_widen_what_they_enter(scheme, shared_class_map):
    exact = Calibration(0.8, 90.0)
    known = dataclasses.replace(
        exact, foil_thickness_sigma_nm=9.0, pixel_size_sigma_nm=0.016
    )
    before, after = (quantify(shared_class_map, scheme, c) for c in (exact, known))
    name = ("dislocation", "dislocation_density_per_m2")
    one, other = before.find(*name), after.find(*name)
    # rho goes as 1 / (t pixel size): 10 % and 2 %.
    assert other.parts["thickness"] == pytest.approx(0.1 * one.value, rel=0.02)
    assert other.parts["pixel_size"] == pytest.approx(0.02 * one.value, rel=0.01)
    assert other.value == one.value
    assert other.low < one.low < one.high < other.high
    # Both multiply rho, so squares add on the scale of its logarithm.
    parts = [
        1.96 * other.parts[name] / one.value for name in ("thickness", "pixel_size")
    ]
    for end, exact_end in ((other.low, one.low), (other.high, one.high)):
        expected = np.hypot(np.log(exact_end / one.value), np.hypot(*parts))
        assert abs(np.log(end / one.value)) == pytest.approx(expected, rel=1e-4)
    count = after.find("void", "count")
    assert set(count.parts) == {"counting"}
    assert (count.low, count.high) == (
        before.find("void", "count").low, before.find("void", "count").high,
    )  # fmt: skip


def test_an_error_may_be_larger_than_half_of_its_value(scheme, shared_class_map):
    """rho goes as 1 / t, at 90 - 60 and 90 + 60 nm."""
    rough = Calibration(0.8, 90.0, foil_thickness_sigma_nm=60.0)
    found = quantify(shared_class_map, scheme, rough)
    density = found.find("dislocation", "dislocation_density_per_m2")
    ends = 90 / (90 - 60), 90 / (90 + 60)
    expected = density.value * (ends[0] - ends[1]) / 2
    assert density.parts["thickness"] == pytest.approx(expected)


def test_the_spread_of_models_goes_into_the_error_bar(scheme, shared_class_map):
    changed = shared_class_map.copy()
    changed[changed == 3] = 0
    found = [quantify(m, scheme, Calibration(0.8)) for m in (shared_class_map, changed)]
    both = add_model_part(found[0], found)
    count = both.find("void", "count")
    expected = np.std([f.find("void", "count").value for f in found], ddof=1)
    assert count.parts["model"] == pytest.approx(expected)
    assert count.high > found[0].find("void", "count").high
    assert both.find("precipitate", "count").high == pytest.approx(
        found[0].find("precipitate", "count").high
    )
    with pytest.raises(ValueError, match="at least two"):
        add_model_part(found[0], found[:1])


def test_a_value_without_interval_gets_none_of_the_model_alone():
    found = widen(Quantity("void", "x", 10.0, "1"), "model", 1.0)
    assert (found.low, found.high, found.parts) == (None, None, {"model": 1.0})
    missing = Quantity("void", "x", None, "1", reason="no pixel size")
    assert widen(missing, "model", 1.0) is missing


def test_what_multiplies_a_value_adds_to_its_logarithm():
    wide = Quantity("line", "density", 10.0, "m^-2", 1.0, 40.0)
    found = widen(wide, "thickness", 1.0, is_factor=True)
    assert found.low == pytest.approx(10 * np.exp(-np.hypot(np.log(10), 0.196)))
    assert found.high == pytest.approx(10 * np.exp(np.hypot(np.log(4), 0.196)))
    assert found.low > widen(wide, "thickness", 1.0).low
    none = widen(Quantity("line", "x", 0.0, "1", 0.0, 4.0), "thickness", 0.5)
    assert none.low == 0
