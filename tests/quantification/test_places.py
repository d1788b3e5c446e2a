import dataclasses

import numpy as np
import pandas as pd
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.calibration import Calibration
from defectkeras.core.row_file import RowFile
from defectkeras.quantification.places import measure_places
from defectkeras.quantification.quantify import quantify


def draw(disc, segment):
    """Precipitates on two lines, and voids anywhere."""
    class_map = np.zeros((260, 340), np.int32)
    lines = np.zeros(class_map.shape, bool)
    for column in (80, 250):
        segment(lines, (-10, column), (270, column), 5)
    class_map[lines] = 1
    for k in range(14):
        disc(class_map, 15 + 34 * (k // 2), (80, 250)[k % 2], 12, value=2)
    rng = np.random.default_rng(0)
    for row in range(4):
        for column in range(4):
            shift = rng.uniform(-8, 8, 2)
            at = 30 + 65 * row + shift[0], 110 + 36 * column + shift[1]
            disc(class_map, *at, 9, value=3)
    return class_map


def measure(scheme, class_map):
    result = quantify(class_map, scheme, Calibration(0.5))
    return measure_places(result, class_map, simulations=19)


def find(places, class_name, statistic, other=""):
    table = places.statistics.set_index(["class_name", "statistic", "other_class"])
    return table.loc[(class_name, statistic, other)]


def test_precipitates_lie_on_the_lines_and_voids_do_not(scheme, disc, segment):
    places = measure(scheme, draw(disc, segment))
    on = find(places, "precipitate", "mean_distance_px", "dislocation")
    assert on["value"] < 1.5 < on["expected"]
    assert on["p_value"] < 0.02
    touching = find(places, "precipitate", "touching_fraction", "dislocation")
    assert touching["value"] == 1
    assert find(places, "void", "touching_fraction", "dislocation")["value"] < 0.5


def test_lines_have_an_orientation(scheme, disc, segment):
    places = measure(scheme, draw(disc, segment))
    mean = find(places, "dislocation", "mean_orientation_deg")
    assert mean["value"] == pytest.approx(90, abs=5)  # precipitates cut pieces
    assert find(places, "dislocation", "alignment")["p_value"] < 0.01
    rose = places.orientations
    assert rose["fraction"].sum() == pytest.approx(1)
    assert set(rose["class_name"]) == {"dislocation"}
    assert places.notes == ()


def test_few_segments_make_no_rose(scheme, segment):
    class_map = np.zeros((90, 120), np.int32)
    for row in (20, 60):
        class_map[row : row + 4] = 1
    places = measure(scheme, class_map)
    assert len(places.orientations) == 0
    (note,) = places.notes
    assert "There are 2." in note


def test_of_many_objects_the_middle_is_taken(scheme, disc, segment, monkeypatch):
    class_map = draw(disc, segment)
    monkeypatch.setattr("defectkeras.quantification.places.MOST", 4)
    found = find(measure(scheme, class_map), "void", "clark_evans")
    assert 4 <= found["count"] < 16


def test_distances_of_a_large_map_are_those_of_its_middle(
    scheme, disc, segment, tmp_path, monkeypatch
):
    class_map = draw(disc, segment)
    class_map[:60] = np.where(class_map[:60] == 1, 0, class_map[:60])  # no lines there
    result = quantify(class_map, scheme, Calibration(0.5))
    file = RowFile(tmp_path / "classes", class_map.shape, np.uint8)
    file.append(class_map)
    places = [
        measure_places(result, one, all_annotated=known, simulations=3)
        for one, known in ((class_map, False), (file.mapped(), True))
    ]
    pd.testing.assert_frame_equal(places[0].statistics, places[1].statistics)
    whole = find(places[0], "precipitate", "mean_distance_px", "dislocation")
    assert places[0].notes == ()
    module = "defectkeras.quantification.places"
    monkeypatch.setattr(f"{module}.MOST_PX", class_map.size * 3 // 4)
    monkeypatch.setattr(f"{module}.FEWEST", 5)
    part = measure_places(result, file.mapped(), all_annotated=True, simulations=3)
    found = find(part, "precipitate", "mean_distance_px", "dislocation")
    assert found["count"] < whole["count"]
    assert found["value"] < whole["value"]
    (note,) = part.notes
    assert "middle" in note


def test_objects_that_find_no_room_at_random_say_so(scheme):
    class_map = np.zeros((120, 200), np.int32)
    for top in range(1, 120, 30):
        for left in range(1, 200, 40):
            class_map[top : top + 28, left : left + 38] = 3
    places = measure(scheme, class_map)
    assert "ripley_l" not in set(places.statistics["statistic"])
    (note,) = places.notes
    assert note.startswith("void: ")
    assert "no room" in note


def test_curves_stand_beside_their_envelopes(scheme, disc, segment):
    curves = measure(scheme, draw(disc, segment)).curves
    assert set(curves["class_name"]) == {"precipitate", "void"}
    assert (curves["l_low"] <= curves["l_mean"]).all()
    assert (curves["l_mean"] <= curves["l_high"]).all()
    np.testing.assert_allclose(curves["r_nm"], curves["r_px"] / 2)


def test_classes_do_not_share_what_chance_gives(scheme, disc):
    """Two classes of the same objects, one in each half of the field."""
    class_map = np.zeros((260, 680), np.int32)
    for row in range(4):
        for column in range(4):
            for value in (2, 3):
                disc(
                    class_map,
                    30 + 65 * row,
                    40 + 340 * (value - 2) + 80 * column,
                    9,
                    value=value,
                )
    places = measure(scheme, class_map)
    again = measure(scheme, class_map)
    pd.testing.assert_frame_equal(places.curves, again.curves)
    means = [
        rows["l_mean"].to_numpy() for _, rows in places.curves.groupby("class_name")
    ]
    assert not np.array_equal(*means)


def test_few_objects_say_nothing(scheme, disc):
    class_map = np.zeros((90, 120), np.int32)
    disc(class_map, 40, 50, 12, value=3)
    places = measure(scheme, class_map)
    assert len(places.statistics) == len(places.curves) == 0
    assert "fraction" in places.orientations


def test_a_field_with_holes(scheme, disc, segment):
    class_map = draw(disc, segment)
    class_map[200:, 280:] = NOT_ANNOTATED
    statistics = set(measure(scheme, class_map).statistics["statistic"])
    assert "clark_evans" not in statistics
    assert "neighbor_distance_ratio" in statistics


def test_the_seed_decides(scheme, disc, segment):
    class_map = draw(disc, segment)
    one = quantify(class_map, scheme, Calibration(0.5))
    other = dataclasses.replace(one, settings=dataclasses.replace(one.settings, seed=5))
    tables = [
        measure_places(q, class_map, simulations=5).curves for q in (one, one, other)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
