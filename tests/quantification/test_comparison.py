import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.comparison import Annotator, summarize_fields
from defectkeras.quantification.field_agreement import Rating, agree_on_field
from defectkeras.quantification.quantify import quantify

SCHEME = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "void", "region"))
)
PEOPLE = (Annotator("a"), Annotator("b"))
MODEL = Annotator("net", is_model=True)


def draw(count, side=6):
    class_map = np.zeros((60, 90), np.int32)
    for i in range(count):
        row, column = 2 + 10 * (i // 8), 2 + 10 * (i % 8)
        class_map[row : row + side, column : column + side] = 1
    return class_map


def compare(counts, annotators, calibration=None):
    """Compare annotators by the numbers of equal squares that they drew."""
    fields = []
    for number, row in enumerate(counts):
        ratings = {}
        for annotator, count in zip(annotators, row, strict=True):
            drawn = draw(count)
            found = quantify(drawn, SCHEME, calibration or Calibration(0.5))
            ratings[annotator.label] = Rating(drawn, found)
        fields.append(agree_on_field(f"f{number}", ratings, SCHEME, min_iou=0.5))
    return summarize_fields(fields, annotators, SCHEME, min_iou=0.5)


def test_the_count_table_has_the_form_of_papers():
    table = compare([(8, 10), (4, 5)], PEOPLE).count_table()

    assert table.to_dict("records") == [
        {"class_name": "void", "a": 12, "b": 15, "difference_percent b": 25.0}
    ]


def test_without_a_first_count_there_is_no_percentage():
    table = compare([(0, 3)], PEOPLE).count_table()
    assert table["difference_percent b"].tolist() == [None]


def test_agreement_is_of_sums_over_fields():
    (row,) = compare([(8, 10), (4, 5)], PEOPLE).pair_table().to_dict("records")

    assert (row["first_count"], row["second_count"], row["matched"]) == (12, 15, 12)
    assert row["precision"] == pytest.approx(12 / 15)
    assert row["recall"] == 1
    assert row["f1"] == pytest.approx(24 / 27)
    assert row["pixel_iou"] == pytest.approx(12 / 15)


def test_differences_have_limits_and_tests():
    counts = [(8, 9), (4, 6), (10, 13), (20, 24), (5, 10), (7, 13)]
    found = compare(counts, PEOPLE).differences
    (count,) = [d for d in found if d.name == "count"]

    assert count.limits.bias == 3.5
    assert count.difference_percent == pytest.approx(100 * 21 / 54)
    assert count.tests.wilcoxon_p == pytest.approx(2 / 64)
    tested = [d for d in found if d.tests.wilcoxon_p is not None]
    assert count.holm_p == pytest.approx(min(1, len(tested) * 2 / 64))
    names = [d.name for d in found]
    assert "areal_density_per_m2" in names
    assert "areal_density_per_px2" not in names


def test_without_a_pixel_size_px_are_compared():
    names = [d.name for d in compare([(8, 9)], PEOPLE, Calibration()).differences]

    assert "areal_density_per_px2" in names
    assert "mean_equivalent_diameter_px" in names


def test_the_size_of_loops_is_their_largest_feret_diameter():
    scheme = LabelScheme((SCHEME.classes[0], DefectClass(1, "loop", "region")))
    drawn = draw(8)
    rating = Rating(drawn, quantify(drawn, scheme, Calibration(0.5)))
    field = agree_on_field("f", {"a": rating, "b": rating}, scheme, min_iou=0.5)
    found = summarize_fields([field], PEOPLE, scheme, min_iou=0.5)

    sizes = [d.name for d in found.differences if d.name.startswith("mean_")]
    assert sizes == ["mean_max_feret_nm"]


def test_few_fields_say_so():
    (difference, *_) = compare([(8, 9)], PEOPLE).differences

    assert difference.limits is None
    assert "too few fields: 1" in difference.tests.reason


def test_a_model_is_held_against_two_people():
    found = compare([(8, 10, 9), (4, 6, 5)], (*PEOPLE, MODEL))

    spreads = {s.name: s for s in found.spreads}
    assert spreads["count"].is_within
    assert spreads["count"].share_percent == 100
    assert spreads["object_f1"].is_within
    assert compare([(8, 9)], (PEOPLE[0], MODEL)).spreads == ()


def test_two_lines_that_cross_are_two():
    lines = LabelScheme(
        (DefectClass(0, "matrix", "matrix"), DefectClass(1, "dislocation", "line"))
    )
    cross = np.zeros((120, 160), np.int32)
    cross[60, 20:140] = cross[15:105, 80] = 1
    single = np.where(np.arange(120)[:, np.newaxis] == 60, cross, 0)
    drawn = {"a": cross, "b": single}
    ratings = {
        label: Rating(class_map, quantify(class_map, lines, Calibration(0.5)))
        for label, class_map in drawn.items()
    }
    field = agree_on_field("f", ratings, lines, min_iou=0.5)
    found = summarize_fields([field], PEOPLE, lines, min_iou=0.5)

    (row,) = found.count_table().to_dict("records")
    assert (row["a"], row["b"], row["difference_percent b"]) == (2, 1, -50)
    (pair,) = found.pair_table().to_dict("records")
    assert (pair["first_count"], pair["second_count"]) == (2, 1)
    names = {difference.name for difference in found.differences}
    assert "line_count" in names
    assert "count" not in names
