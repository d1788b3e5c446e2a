import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.foil_cut import mean_seen_diameter_nm
from defectkeras.quantification.quantify import QuantifySettings, quantify
from defectkeras.quantification.sizes import mean_diameter


def test_means_follow_from_the_table(scheme, shared_class_map):
    result = quantify(shared_class_map, scheme, Calibration(0.5, 60.0))
    voids = result.objects[result.objects["class_name"] == "void"]
    used = voids[~voids["touches_border"]]
    weights = used["edge_weight"].to_numpy()
    seen_px = used["equivalent_diameter_px"].to_numpy()
    apparent = result.find("void", "mean_equivalent_diameter_px")
    assert apparent.value == pytest.approx(np.average(seen_px, weights=weights))
    assert apparent.low < apparent.value < apparent.high
    corrected = result.find("void", "mean_equivalent_diameter_nm")
    assert corrected.value == pytest.approx(
        mean_diameter(0.5 * seen_px, foil_thickness_nm=60.0, weights=weights)
    )
    assert "cut_corrected" in corrected.method
    assert corrected.low < corrected.value < corrected.high


@pytest.mark.parametrize("method", ["single_size", "apparent"])
def test_other_methods(scheme, shared_class_map, method):
    settings = QuantifySettings(diameter_method=method)
    result = quantify(
        shared_class_map, scheme, Calibration(0.5, 60.0), settings=settings
    )
    mean = result.find("void", "mean_equivalent_diameter_nm")
    in_px = result.find("void", "mean_equivalent_diameter_px")
    assert method in mean.method
    for name in ("low", "value", "high"):
        seen_nm = getattr(mean, name)
        if method == "single_size":
            seen_nm = mean_seen_diameter_nm(seen_nm, 60.0)
        assert seen_nm == pytest.approx(getattr(in_px, name) / 2)


def test_without_thickness_diameters_are_apparent(scheme, shared_class_map):
    result = quantify(shared_class_map, scheme, Calibration(0.5))
    mean = result.find("void", "mean_equivalent_diameter_nm")
    assert "apparent" in mean.method
    in_px = result.find("void", "mean_equivalent_diameter_px")
    assert mean.value == pytest.approx(in_px.value / 2)


def test_lognormal_has_an_interval(scheme, shared_class_map):
    result = quantify(shared_class_map, scheme, Calibration(0.5))
    sigma = result.find("void", "lognormal_sigma")
    assert sigma.low < sigma.value < sigma.high
    assert result.find("void", "lognormal_median_nm").value > 0


def test_one_object_has_no_interval(scheme, disc):
    class_map = np.zeros((60, 80), np.int32)
    disc(class_map, 30, 40, 12, value=3)
    mean = quantify(class_map, scheme, Calibration(1.0, 50.0)).find(
        "void", "mean_equivalent_diameter_nm"
    )
    # More than 12: where one is seen whole, others would be seen cut.
    assert mean.value == pytest.approx(12.58, abs=0.01)
    assert mean.low is mean.high is None
    assert mean.method.endswith("no_spread")


def test_objects_of_one_size_have_no_interval_and_say_so(scheme, disc):
    class_map = np.zeros((60, 120), np.int32)
    for column in (20, 50, 90):
        disc(class_map, 30, column, 12, value=3)
    result = quantify(class_map, scheme, Calibration(1.0, 50.0))
    for name in (
        "mean_equivalent_diameter_px",
        "mean_equivalent_diameter_nm",
        "lognormal_median_nm",
        "lognormal_sigma",
    ):
        found = result.find("void", name)
        assert found.value is not None
        assert found.low is found.high is None
        assert "No interval" in found.method_text
        assert "student" not in found.method


def test_one_object_has_no_width_and_equal_ones_none_but_zero(scheme, disc):
    class_map = np.zeros((60, 80), np.int32)
    disc(class_map, 30, 20, 12, value=3)
    sigma = quantify(class_map, scheme, Calibration()).find("void", "lognormal_sigma")
    assert sigma.value is None
    assert "single object" in sigma.reason
    disc(class_map, 30, 60, 12, value=3)
    sigma = quantify(class_map, scheme, Calibration()).find("void", "lognormal_sigma")
    assert sigma.value == 0
    assert sigma.low is sigma.high is sigma.reason is None


def test_no_object_has_no_size(scheme):
    result = quantify(np.zeros((60, 80), np.int32), scheme, Calibration(1.0, 50.0))
    mean = result.find("void", "mean_equivalent_diameter_nm")
    assert mean.value is None
    assert mean.reason == "no object of this class"
