import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.field_agreement import Rating, agree_on_field
from defectkeras.quantification.quantify import quantify

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "void", "region"),
        DefectClass(2, "dislocation", "line"),
    )
)


def rating(class_map, label_map=None, **more):
    found = quantify(class_map, SCHEME, Calibration(0.5), label_map=label_map)
    return Rating(class_map, found, label_map, **more)


@pytest.fixture
def first():
    class_map = np.zeros((30, 50), np.int32)
    class_map[5:15, 5:15] = class_map[5:15, 15:25] = class_map[20:25, 40:48] = 1
    class_map[28, :] = 2
    return class_map


def test_touching_objects_are_two_where_they_are_numbered(first):
    labels = np.zeros_like(first)
    labels[5:15, 5:15], labels[5:15, 15:25], labels[20:25, 40:48] = 7, 3, 9
    ratings = {"a": rating(first, labels), "b": rating(first)}
    found = agree_on_field("f", ratings, SCHEME, min_iou=0.5)

    row, lines = found.objects
    assert (lines["class_name"], lines["f1"]) == ("dislocation", 1)
    assert (row["first_count"], row["second_count"], row["matched"]) == (3, 2, 2)
    assert (row["precision"], row["recall"]) == (1, pytest.approx(2 / 3))
    assert [r["iou"] for r in found.pixels] == [1, 1]
    assert [r["kappa"] for r in found.kappas] == [1, 1]


def test_pixels_count_where_both_have_annotated(first):
    second = first.copy()
    second[:, 30:] = -1
    ratings = {"a": rating(first), "b": rating(second)}
    found = agree_on_field("f", ratings, SCHEME, min_iou=0.5)

    assert found.pixels[0]["union_px"] == 200
    assert found.objects[0]["first_count"] == found.objects[0]["second_count"] == 1


def test_three_annotators_are_three_pairs(first):
    ratings = {name: rating(first) for name in "abc"}
    found = agree_on_field("f", ratings, SCHEME, min_iou=0.5)

    pairs = [(r["first"], r["second"]) for r in found.objects[::2]]
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [r["statistic"] for r in found.kappas] == ["cohen"] * 3 + ["fleiss"]


def test_drawn_lengths_are_values(first):
    drawn = rating(first, drawn_lengths={"dislocation": 25.0})
    found = agree_on_field("f", {"a": drawn, "b": drawn}, SCHEME, min_iou=0.5)

    (row, _) = [r for r in found.values if r["name"] == "drawn_line_length_nm"]
    assert (row["value"], row["unit"], row["class_name"]) == (25, "nm", "dislocation")


def test_no_object_at_all_has_no_score(first):
    empty = np.zeros_like(first)
    ratings = {"a": rating(empty), "b": rating(empty)}
    found = agree_on_field("f", ratings, SCHEME, min_iou=0.5)

    assert found.objects[0]["f1"] is None
    assert found.pixels[0]["iou"] is None
    assert found.kappas[0]["kappa"] is None
