import numpy as np
import pandas as pd
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.quantification.edges import (
    MAX_EDGE_WEIGHT,
    box_sums,
    edge_rule_weights,
    forbidden_line_weight,
    miles_lantuejoul_weights,
    whole_field,
)
from defectkeras.quantification.objects import label_objects, measure_objects

RULES = ("drop", "miles_lantuejoul", "all", "forbidden_lines")


def ratios_of_rules(disc, *, diameter, field=None, frames=150):
    """Give counted over true numbers of discs in a 150 x 200 frame."""
    rng = np.random.default_rng(1)
    rows, columns = 150, 200
    seen = np.ones((rows, columns), bool) if field is None else field
    cell = diameter + 8.0
    counts = np.zeros(len(RULES))
    for _ in range(frames):
        mask = np.zeros((rows, columns), np.uint8)
        shift = rng.uniform(0, cell, 2)
        for i in range(-2, int(rows / cell) + 3):
            for j in range(-2, int(columns / cell) + 3):
                center = shift + cell * np.array([i, j]) + rng.uniform(0, 5, 2)
                near = center + diameter / 2 > 0
                if near.all() and (center - diameter / 2 < mask.shape).all():
                    draw_cut_disc(mask, center, diameter)
        table = measure_objects(
            label_objects((mask > 0) & seen),
            calibration=Calibration(),
            class_name="void",
            field=seen,
        )
        counts += [edge_rule_weights(table, rule).sum() for rule in RULES]
    return counts / frames * cell**2 / np.count_nonzero(seen)


def draw_cut_disc(mask, center, diameter):
    rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
    inside = (rows - center[0]) ** 2 + (columns - center[1]) ** 2 <= diameter**2 / 4
    mask |= inside.astype(np.uint8)


@pytest.mark.parametrize(
    ("diameter", "expected"),
    [(10, (0.891, 1.0, 1.124, 1.0)), (40, (0.591, 1.0, 1.494, 1.0))],
)
def test_known_biases_of_edge_rules(disc, diameter, expected):
    """Monte Carlo in the plane gives 0.891, 1.124, 0.591 and 1.523.

    In pixels the frame is one smaller for what it only touches, so 1.494.
    """
    found = ratios_of_rules(disc, diameter=diameter)
    np.testing.assert_allclose(found, expected, atol=0.025)


def test_weights_in_a_field_with_a_hole(disc):
    field = np.ones((150, 200), bool)
    field[40:90, 120:200] = False
    found = ratios_of_rules(disc, diameter=16, field=field)
    assert found[1] == pytest.approx(1.0, abs=0.03)
    assert found[0] < 0.8
    assert found[3] == pytest.approx(1.0, abs=0.03)


def test_forbidden_lines_run_along_what_nobody_annotated():
    labels = np.zeros((40, 60), np.int32)
    for number, (row, column) in enumerate(((8, 30), (20, 3), (20, 30), (37, 57)), 1):
        labels[row : row + 3, column : column + 3] = number
    seen = np.zeros(labels.shape, bool)
    seen[8:, 3:] = True  # cuts the first and the second above and at the left

    def weights(labels, field):
        table = measure_objects(
            labels, calibration=Calibration(), class_name="void", field=field
        )
        return table["forbidden_line_weight"].to_numpy()

    found = weights(labels, seen)
    np.testing.assert_allclose(found, weights(labels[8:, 3:], seen[8:, 3:]))
    assert (found > 0).tolist() == [False, False, True, True]
    assert weights(np.ones((5, 1), np.int32), np.ones((5, 1), bool)).tolist() == [0.0]


def test_counted_places_agree_with_the_formula():
    heights, widths = np.array([3, 20, 7]), np.array([9, 4, 60])
    full = np.ones((50, 80), bool)
    expected = full.size / ((80 - widths - 1) * (50 - heights - 1))
    np.testing.assert_allclose(
        miles_lantuejoul_weights(heights, widths, full), expected
    )
    # The same field inside a larger one that nobody annotated.
    padded = np.pad(full, ((6, 3), (2, 9)))
    np.testing.assert_allclose(
        miles_lantuejoul_weights(heights, widths, padded), expected
    )


def test_weight_is_cut_when_the_object_fills_the_field():
    field = np.ones((30, 40), bool)
    weights = miles_lantuejoul_weights(np.array([30, 28]), np.array([10, 38]), field)
    assert weights.tolist() == [MAX_EDGE_WEIGHT, MAX_EDGE_WEIGHT]


def test_box_sums_are_cut_at_the_border():
    values = np.zeros((4, 6), bool)
    values[1, 2] = values[3, 5] = True
    corners = [np.array([v]) for v in (-1, -1, 9, 9)]
    assert box_sums(values, *corners).tolist() == [2]
    assert box_sums(np.ones((4, 6), bool), *corners).tolist() == [24]


@pytest.mark.parametrize("share", [0.7, 1.0])
def test_box_sums_are_those_of_slices(share):
    rng = np.random.default_rng(2)
    values = rng.random((5, 8)) < share
    tops, lefts = rng.integers(-2, 5, 60), rng.integers(-2, 8, 60)
    bottoms = np.maximum(tops, 0) + rng.integers(0, 4, 60)
    rights = np.maximum(lefts, 0) + rng.integers(0, 4, 60)
    boxes = list(zip(tops.clip(0), lefts.clip(0), bottoms, rights, strict=True))
    expected = [values[t : b + 1, w : e + 1].sum() for t, w, b, e in boxes]
    assert box_sums(values, tops, lefts, bottoms, rights).tolist() == expected


def test_a_field_without_pixels_weighs_as_one_that_is_seen_everywhere():
    heights, widths = np.array([3, 20]), np.array([9, 4])
    seen, whole = np.ones((50, 80), bool), whole_field((50, 80))
    assert forbidden_line_weight(whole) == forbidden_line_weight(seen)
    assert forbidden_line_weight(whole) == 50 * 80 / (49 * 79)
    for field in (seen, whole):
        weights = miles_lantuejoul_weights(heights, widths, field)
        np.testing.assert_allclose(weights, [4000 / (70 * 46), 4000 / (75 * 29)])


def test_unknown_rule_names_the_nearest():
    with pytest.raises(DefectKerasError, match="Did you mean 'forbidden_lines'"):
        edge_rule_weights(pd.DataFrame({"touches_border": [True]}), "forbiden_line")
