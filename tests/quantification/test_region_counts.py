import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.quantify import QuantifySettings, quantify


def draw(disc, count=12):
    class_map = np.zeros((200, 260), np.int32)
    for k in range(count):
        disc(class_map, 30 + 45 * (k // 4), 30 + 60 * (k % 4), 14, value=3)
    return class_map


def test_worked_count(scheme, disc):
    result = quantify(draw(disc), scheme, Calibration(0.5, 80.0))
    count = result.find("void", "count")
    assert count.value == 12
    assert (count.low, count.high) == pytest.approx((6.2006, 20.9616), abs=1e-3)
    weight = 200 * 260 / ((200 - 14 - 1) * (260 - 14 - 1))
    area_nm2 = 200 * 260 * 0.25
    areal = result.find("void", "areal_density_per_m2")
    assert areal.value == pytest.approx(12 * weight / area_nm2 * 1e18, rel=0.01)
    assert areal.low / areal.value == pytest.approx(6.2006 / 12, rel=1e-3)
    per_px = result.find("void", "areal_density_per_px2")
    assert per_px.value == pytest.approx(areal.value * 0.25e-18)


def test_density_falls_with_thickness_and_pixel_size(scheme, disc):
    class_map = draw(disc)

    def density(pixel_size_nm, thickness_nm):
        calibration = Calibration(pixel_size_nm, thickness_nm)
        result = quantify(class_map, scheme, calibration)
        return result.find("void", "number_density_per_m3").value

    assert density(1.0, 80.0) > density(1.0, 160.0) > 0
    # All lengths twice as long: an eighth per volume.
    assert density(2.0, 160.0) == pytest.approx(density(1.0, 80.0) / 8)


def test_no_object_is_a_count_of_zero_with_an_upper_limit(scheme):
    result = quantify(np.zeros((90, 120), np.int32), scheme, Calibration(1.0, 50.0))
    density = result.find("void", "number_density_per_m3")
    assert density.value == density.low == 0
    assert density.high == pytest.approx(3.6889 / (90 * 120 * 50) * 1e27, rel=1e-4)


def test_all_objects_at_the_border_give_a_reason_not_a_zero(scheme, disc):
    class_map = np.zeros((60, 80), np.int32)
    disc(class_map, 0, 40, 20, value=3)
    calibration = Calibration(1.0, 50.0)
    density = quantify(class_map, scheme, calibration).find(
        "void", "number_density_per_m3"
    )
    assert density.value is None
    assert "touches the border" in density.reason
    settings = QuantifySettings(edge_rule="all")
    counted = quantify(class_map, scheme, calibration, settings=settings)
    assert counted.find("void", "number_density_per_m3").value > 0


def test_pixels_that_nobody_annotated_are_no_area(scheme, disc):
    class_map = draw(disc)
    padded = np.pad(class_map, ((0, 40), (30, 0)), constant_values=-1)
    calibration = Calibration(0.5, 80.0)
    for name in (
        "areal_density_per_m2",
        "number_density_per_m3",
        "area_fraction_percent",
        "volume_fraction_percent",
    ):
        before, after = (
            quantify(m, scheme, calibration).find("void", name).value
            for m in (class_map, padded)
        )
        assert after == pytest.approx(before)


def test_one_object_has_an_area_and_no_interval_of_it(scheme, disc):
    class_map = np.zeros((60, 80), np.int32)
    disc(class_map, 0, 40, 20, value=3)
    settings = QuantifySettings(volume_method="projected_area", edge_rule="all")
    found = quantify(class_map, scheme, Calibration(1.0, 50.0), settings=settings)
    area = found.find("void", "area_fraction_percent")
    assert area.value == pytest.approx(100 * (class_map == 3).mean())
    assert (area.low, area.high) == (None, None)
    assert area.method == "pixel_area+one_object"
    assert "tells nothing of chance" in area.method_text
    volume = found.find("void", "volume_fraction_percent")
    assert volume.value > 0
    assert volume.low is None
