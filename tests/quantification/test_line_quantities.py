import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.intervals import random_lengths_interval
from defectkeras.quantification.quantify import QuantifySettings, quantify


def draw(segment):
    """Six lines across a field of 300 x 400 px, at different angles."""
    mask = np.zeros((300, 400), bool)
    for k in range(6):
        segment(mask, (-10, 30 + 50 * k), (310, 80 + 50 * ((k * 2) % 7)), 5)
    return mask.astype(np.int32)


def find(class_map, scheme, name, calibration, **settings):
    chosen = QuantifySettings(**settings)
    result = quantify(class_map, scheme, calibration, settings=chosen)
    return result.find("dislocation", name)


def test_quantities_follow_from_the_length(scheme, segment):
    class_map = draw(segment)
    calibration = Calibration(0.8, 90.0)

    def value(name):
        return find(class_map, scheme, name, calibration).value

    length_nm, area_nm2 = value("line_length_nm"), 300 * 400 * 0.64
    assert value("line_length_px") == pytest.approx(length_nm / 0.8)
    per_area = length_nm / area_nm2 * 1e9
    assert value("line_length_per_area_per_m") == pytest.approx(per_area)
    density = 4 / np.pi * length_nm / (area_nm2 * 90.0) * 1e18
    assert value("dislocation_density_per_m2") == pytest.approx(density)
    by_intercepts = value("dislocation_density_intercepts_per_m2")
    assert by_intercepts == pytest.approx(density, rel=0.05)


def test_intervals_hold_their_values(scheme, segment):
    mask = np.zeros((300, 400), bool)
    for k in range(6):  # that do not meet: each is one line
        segment(mask, (20, 30 + 60 * k), (60 + 40 * k, 40 + 60 * k), 5)
    result = quantify(mask.astype(np.int32), scheme, Calibration(0.8, 90.0))
    ends = random_lengths_interval(result.lines["length_px"].to_numpy())
    expected = np.array([ends.low, ends.high]) / result.lines["length_px"].sum()
    for name in ("line_length_nm", "line_length_per_area_per_m",
                 "dislocation_density_per_m2", "area_fraction_percent",
                 "dislocation_density_intercepts_per_m2"):  # fmt: skip
        found = result.find("dislocation", name)
        np.testing.assert_allclose([found.low, found.high], found.value * expected)


def test_no_line_at_all_is_as_sure_by_both_densities(scheme):
    empty = np.zeros((300, 400), np.int32)
    by_length, by_intercepts = (
        find(empty, scheme, f"dislocation_density{name}_per_m2", Calibration(0.8, 90.0))
        for name in ("", "_intercepts")
    )
    assert by_length.value == by_intercepts.value == 0
    assert by_intercepts.high == pytest.approx(by_length.high)
    # 3.6889 lines of the mean chord pi A / P of a square
    most = 3.6889 / (np.sqrt(300 * 400) * 0.8 * 90.0) * 1e18
    assert by_length.high == pytest.approx(most, rel=1e-4)


def test_specks_without_a_length_tell_nothing_of_chance(scheme):
    class_map = np.zeros((40, 60), np.int32)
    class_map[::3, ::3] = 1
    found = find(class_map, scheme, "area_fraction_percent", Calibration())
    assert found.value > 10
    assert found.low is found.high is None


def test_junctions_without_a_line_have_no_interval_beside_their_value(scheme):
    checked = (np.indices((40, 60)).sum(axis=0) % 2).astype(np.int32)
    found = find(checked, scheme, "line_length_px", Calibration())
    assert found.value > 1000
    assert found.low is found.high is None


def test_invisible_lines_are_made_up_for_by_choice_only(scheme, segment):
    calibration = Calibration(0.8, 90.0)
    name = "dislocation_density_per_m2"
    class_map = draw(segment)
    visible = find(class_map, scheme, name, calibration)
    half = find(class_map, scheme, name, calibration, visible_fraction=0.5)
    assert half.value == pytest.approx(2 * visible.value)
    assert "visible_fraction" in half.method
    assert "visible_fraction" not in visible.method


@pytest.mark.parametrize(
    ("calibration", "reason"),
    [(Calibration(), "no pixel size"), (Calibration(0.8), "no foil thickness")],
)
def test_reasons(scheme, segment, calibration, reason):
    class_map = draw(segment)
    density = find(class_map, scheme, "dislocation_density_per_m2", calibration)
    assert density.value is None
    assert reason in density.reason
    assert find(class_map, scheme, "line_length_px", calibration).value > 0


def test_lines_in_a_region_have_a_length_only_if_regions_are_included(segment):
    """Cracks in a layer of oxide: not hidden by it, but in it."""
    classes = (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "oxide", "region"),
        DefectClass(2, "crack", "line"),
    )
    scheme = LabelScheme(classes)
    cracks = np.zeros((300, 400), bool)
    for column in range(60, 360, 60):
        segment(cracks, (110, column), (190, column + 10), 3)
    class_map = np.zeros((300, 400), np.int32)
    class_map[100:200] = 1
    class_map[cracks] = 2

    def length(**settings):
        chosen = QuantifySettings(**settings)
        found = quantify(class_map, scheme, Calibration(), settings=chosen)
        return found.find("crack", "line_length_px")

    hidden = length()
    assert hidden.value is None
    assert "include the regions" in hidden.reason
    assert length(exclude_regions=False).value == pytest.approx(5 * 80.6, rel=0.06)


def test_weights_of_the_steps_change_the_length(scheme, segment):
    lengths = [
        find(draw(segment), scheme, "line_length_px", Calibration(), length_weights=w)
        for w in ("pixels", "unbiased", "steps")
    ]
    values = [length.value for length in lengths]
    assert values == sorted(values)
    assert lengths[2].method.startswith("steps")


def test_a_field_without_free_room_gives_a_reason(scheme):
    class_map = np.full((40, 60), 2, np.int32)
    class_map[20] = 1
    length = find(class_map, scheme, "line_length_px", Calibration())
    assert length.value is None
    assert "far enough" in length.reason


def test_lines_in_a_region_stay_lines_of_their_own(scheme, segment):
    class_map = np.zeros((200, 300), np.int32)
    class_map[40:160, 10:290] = 2
    mask = np.zeros(class_map.shape, bool)
    for k in range(12):
        segment(mask, (60, 25 + 22 * k), (140, 25 + 22 * k), 3)
    class_map[mask] = 1
    found = find(class_map, scheme, "area_fraction_percent", Calibration())
    assert 0.4 < found.low / found.value < 1 < found.high / found.value < 2
