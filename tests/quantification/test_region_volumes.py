import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.quantification.intervals import weighted_count_interval
from defectkeras.quantification.quantify import QuantifySettings, quantify
from defectkeras.quantification.swelling import volume_contributions

CALIBRATION = Calibration(0.5, 60.0)


def find(class_map, scheme, name, calibration=CALIBRATION, **settings):
    chosen = QuantifySettings(**settings)
    result = quantify(class_map, scheme, calibration, settings=chosen)
    return result.find("void", name)


@pytest.mark.parametrize(
    "method", ["cut_corrected", "thickness_plus_diameter", "all_visible"]
)
def test_object_methods_follow_from_the_table(scheme, shared_class_map, method):
    result = quantify(shared_class_map, scheme, CALIBRATION)
    voids = result.objects[result.objects["class_name"] == "void"]
    parts = volume_contributions(
        voids["equivalent_diameter_nm"].to_numpy(),
        shared_class_map.size * 0.25,
        60.0,
        method=method,
        weights=voids["edge_weight"].to_numpy(),
    )
    expected = parts.sum()
    ends = weighted_count_interval(parts, 0.0)
    fraction = find(
        shared_class_map, scheme, "volume_fraction_percent", volume_method=method
    )
    swelling = find(shared_class_map, scheme, "swelling_percent", volume_method=method)
    assert fraction.value == pytest.approx(100 * expected)
    assert swelling.value == pytest.approx(100 * expected / (1 - expected))
    assert (fraction.low, fraction.high) == pytest.approx(
        (100 * ends.low, 100 * ends.high)
    )
    for end, part in ((swelling.low, ends.low), (swelling.high, ends.high)):
        assert end == pytest.approx(100 * part / (1 - part))


def test_delesse_needs_no_thickness(scheme, shared_class_map):
    area, volume = (
        find(shared_class_map, scheme, name, Calibration(), volume_method="delesse")
        for name in ("area_fraction_percent", "volume_fraction_percent")
    )
    assert area.value == volume.value


def test_projected_area_lies_between(scheme, shared_class_map):
    values = [
        find(shared_class_map, scheme, "volume_fraction_percent", volume_method=m).value
        for m in ("cut_corrected", "projected_area", "delesse")
    ]
    assert values[1] == pytest.approx(values[0], rel=0.2)
    assert values[1] < values[2]


def test_swelling_is_for_voids_and_volume_not_for_loops(scheme, shared_class_map):
    result = quantify(shared_class_map, scheme, CALIBRATION)
    names = {(q.class_name, q.name) for q in result.quantities}
    assert ("precipitate", "volume_fraction_percent") in names
    assert ("precipitate", "swelling_percent") not in names
    assert ("loop", "volume_fraction_percent") not in names


def test_more_void_than_foil_is_refused(scheme, disc):
    class_map = np.zeros((90, 120), np.int32)
    disc(class_map, 45, 60, 70, value=3)
    settings = {"volume_method": "all_visible"}
    swelling = find(
        class_map, scheme, "swelling_percent", Calibration(1.0, 2.0), **settings
    )
    assert swelling.value is None
    assert "check thickness" in swelling.reason


def test_an_interval_up_to_a_full_foil(scheme, disc):
    class_map = np.zeros((200, 300), np.int32)
    for row, column in ((60, 60), (60, 150), (60, 240), (140, 105), (140, 195)):
        disc(class_map, row, column, 76, value=3)
    known = Calibration(0.5, 2.0)
    fraction = find(class_map, scheme, "volume_fraction_percent", known)
    assert 0 < fraction.low < fraction.value < 100
    assert fraction.method.endswith("+garwood")
    assert fraction.high == 100
    swelling = find(class_map, scheme, "swelling_percent", known)
    assert swelling.value > 100
    assert swelling.low is swelling.high is None  # no upper end: 1 / (1 - 1)
    assert swelling.parts == {}
    assert "garwood" not in swelling.method


def test_no_void_no_swelling(scheme):
    empty = np.zeros((60, 80), np.int32)
    none = find(empty, scheme, "swelling_percent")
    assert (none.value, none.low, none.high) == (0, None, None)
    assert "garwood" not in none.method
    assert find(empty, scheme, "swelling_percent", Calibration(1.0)).value is None


def test_unknown_method(scheme):
    with pytest.raises(DefectKerasError, match="Did you mean 'delesse'"):
        QuantifySettings(volume_method="deless")
