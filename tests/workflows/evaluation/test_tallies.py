"""Counts of one micrograph, and that they add up."""

import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.workflows.evaluation.tallies import tally

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
    )
)


def field(shift=0, shape=(40, 60)):
    class_map = np.zeros(shape, np.int32)
    class_map[5:8, :] = 1
    class_map[15:25, 10 + shift : 20 + shift] = 2
    class_map[30:36, 40:46] = 2
    return class_map


def count(true, predicted, **arguments):
    p = np.eye(3, dtype=np.float32)[predicted]
    return tally(true, predicted, p, SCHEME, tolerance_px=2, **arguments)


def test_rows_hold_every_score():
    rows = count(field(), field(shift=6)).class_rows(SCHEME)
    assert [row["class_name"] for row in rows] == ["matrix", "dislocation", "void"]
    void, line = rows[2], rows[1]
    assert (void["objects_true"], void["objects_matched"]) == (2, 1)  # IoU 40 / 160
    assert void["object_f1"] == 0.5
    assert void["iou"] == (40 + 36) / (160 + 36)
    assert line["objects_true"] is line["object_f1"] is None
    assert line["boundary_f1"] == line["iou"] == 1
    assert line["calibration_error"] == 0
    assert void["calibration_error"] == pytest.approx(120 / 2400)


def test_micrographs_add_up():
    pairs = [(field(), field(shift=2)), (field(3, (50, 71)), field(9, (50, 71)))]
    one, other = (count(*pair) for pair in pairs)
    pooled = one + other
    np.testing.assert_array_equal(pooled.objects, one.objects + other.objects)
    assert pooled.pixels.sum() == 40 * 60 + 50 * 71
    assert pooled.likeliest.pixels.sum() == 40 * 60 + 50 * 71
    assert len(pooled.classes) == 3


def test_unknown_pixels_count_nowhere():
    true, predicted = field(), field()
    true[:, 35:] = NOT_ANNOTATED
    predicted[10:30, 38:] = 2  # an object where nobody looked
    rows = count(true, predicted).class_rows(SCHEME)
    assert rows[2]["objects_predicted"] == rows[2]["objects_true"] == 1
    for score in ("iou", "boundary_f1", "object_f1"):
        assert rows[2][score] == 1


def test_numbered_objects_are_told_apart():
    true = np.zeros((20, 30), np.int32)
    true[5:10, 5:15] = 2
    numbered = np.where(true > 0, 1, 0).astype(np.int32)
    numbered[5:10, 10:15] = 2 * (true[5:10, 10:15] > 0)
    row = count(true, true, numbered=numbered).class_rows(SCHEME)[2]
    assert (row["objects_true"], row["objects_predicted"]) == (2, 1)
