import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label, regionprops_table

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.objects import label_objects, measure_objects


def draw_objects(disc):
    """Give a label map of discs and bars, some at the border."""
    rng = np.random.default_rng(3)
    mask = np.zeros((260, 340), bool)
    for _ in range(60):
        disc(mask, *rng.uniform((0, 0), mask.shape), rng.uniform(3, 30), value=True)
    for _ in range(10):
        row, column = rng.integers((0, 0), np.array(mask.shape) - 40)
        for k in range(30):
            mask[row + k // 2 : row + k // 2 + 3, column + k] = True
    return label_objects(mask)


def test_agrees_with_regionprops(disc):
    label_map = draw_objects(disc)
    image = np.random.default_rng(0).random(label_map.shape, np.float32)
    table = measure_objects(
        label_map, calibration=Calibration(), class_name="void", image=image
    )
    names = ("label", "area", "centroid", "axis_major_length", "axis_minor_length",
             "orientation", "equivalent_diameter_area", "intensity_mean",
             "feret_diameter_max")  # fmt: skip
    expected = regionprops_table(label_map, image, properties=names)
    for ours, theirs in (
        ("label", "label"),
        ("area_px", "area"),
        ("centroid_row_px", "centroid-0"),
        ("centroid_column_px", "centroid-1"),
        ("major_axis_px", "axis_major_length"),
        ("minor_axis_px", "axis_minor_length"),
        ("equivalent_diameter_px", "equivalent_diameter_area"),
        ("mean_grey_level", "intensity_mean"),
    ):
        np.testing.assert_allclose(table[ours], expected[theirs], rtol=1e-5, atol=1e-6)
    # Theirs: from the rows' axis, ours: from the columns' axis on the screen.
    turned = (table["orientation_deg"] - 90 - np.degrees(expected["orientation"])) % 180
    is_long = table["aspect_ratio"] > 1.01
    np.testing.assert_allclose(np.minimum(turned, 180 - turned)[is_long], 0, atol=1e-6)
    # Theirs takes the outline of the convex pixels, which is a little wider.
    gap = expected["feret_diameter_max"] - table["max_feret_px"]
    assert gap.between(-1e-9, 1.0).all()


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (7, 11)))
def test_labels_are_those_of_scikit_image(mask):
    expected = label(mask, connectivity=2)
    found = label_objects(mask)
    assert found.max() == expected.max()
    pairs = np.unique(np.stack([found[mask], expected[mask]]), axis=1)
    assert pairs.shape[1] == found.max()


@pytest.mark.parametrize("angle_deg", [0, 20, 45, 90, 135, 170])
def test_orientation_is_counterclockwise_on_the_screen(segment, angle_deg):
    mask = np.zeros((90, 120), bool)
    along = np.array([-np.sin(np.radians(angle_deg)), np.cos(np.radians(angle_deg))])
    segment(mask, (45, 60) - 30 * along, (45, 60) + 30 * along, 4)
    table = measure_objects(
        mask.astype(np.int32), calibration=Calibration(), class_name="loop"
    )
    difference = (table["orientation_deg"][0] - angle_deg) % 180
    assert min(difference, 180 - difference) < 1


def test_doubling_the_pixel_size(disc):
    label_map = draw_objects(disc)
    one, two = (
        measure_objects(label_map, calibration=Calibration(size), class_name="void")
        for size in (0.7, 1.4)
    )
    np.testing.assert_allclose(two["area_nm2"], 4 * one["area_nm2"])
    for name in ("equivalent_diameter", "max_feret", "min_feret", "major_axis"):
        np.testing.assert_allclose(two[f"{name}_nm"], 2 * one[f"{name}_nm"])
        np.testing.assert_allclose(two[f"{name}_px"], one[f"{name}_px"])


def test_a_quarter_turn_changes_nothing_but_the_orientation(disc):
    label_map = draw_objects(disc)
    before, after = (
        measure_objects(m, calibration=Calibration(), class_name="void")
        for m in (label_map, np.ascontiguousarray(np.rot90(label_map)))
    )
    for name in ("area_px", "max_feret_px", "min_feret_px", "edge_weight",
                 "minor_axis_px", "touches_border"):  # fmt: skip
        np.testing.assert_allclose(after[name], before[name], rtol=1e-9, atol=1e-5)


def test_no_columns_in_nm_without_a_pixel_size():
    label_map = np.zeros((9, 12), np.int32)
    label_map[3:5, 4:8] = 1
    table = measure_objects(label_map, calibration=Calibration(), class_name="void")
    assert not [name for name in table.columns if "_nm" in name]
    assert not table.isna().any(axis=None)


@pytest.mark.parametrize("place", [(0, 5), (5, 0), (8, 5), (5, 11)])
def test_border_contact(place):
    label_map = np.zeros((9, 12), np.int32)
    label_map[place] = 1
    label_map[4, 6] = 2
    table = measure_objects(label_map, calibration=Calibration(), class_name="void")
    assert table["touches_border"].tolist() == [True, False]


def test_contact_with_pixels_that_nobody_annotated():
    label_map = np.zeros((9, 14), np.int32)
    label_map[4, 6] = 1
    label_map[4, 10] = 2
    field = np.ones(label_map.shape, bool)
    field[3, 5] = False
    table = measure_objects(
        label_map, calibration=Calibration(), class_name="void", field=field
    )
    assert table["touches_border"].tolist() == [True, False]


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 4))
def test_empty_map(rows, columns):
    table = measure_objects(
        np.zeros((rows, columns), np.int32),
        calibration=Calibration(1.0),
        class_name="void",
    )
    assert len(table) == 0
    assert "area_nm2" in table


@pytest.mark.parametrize("diameter", [5, 9, 20, 40])
def test_equivalent_diameter_of_discs(disc, diameter):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        label_map = np.zeros((60, 70), np.int32)
        disc(label_map, *rng.uniform(29, 31, 2), diameter)
        table = measure_objects(label_map, calibration=Calibration(), class_name="void")
        found.append(table["equivalent_diameter_px"][0])
    assert np.mean(found) == pytest.approx(diameter, abs=0.05)


def test_ten_thousand_objects_take_seconds():
    rng = np.random.default_rng(0)
    tile = np.zeros((40, 40), np.int32)
    rows, columns = np.ogrid[:40, :40]
    tile[((rows - 20) / 14) ** 2 + ((columns - 19) / 9) ** 2 < 1] = 1
    mask = np.tile(tile, (102, 102)) > 0
    mask &= rng.random(mask.shape) < 0.995
    start = time.process_time()
    label_map = label_objects(mask)
    table = measure_objects(label_map, calibration=Calibration(0.5), class_name="void")
    assert len(table) > 10_000
    assert time.process_time() - start < 12
