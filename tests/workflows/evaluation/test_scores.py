"""An evaluation of several micrographs: pooled, apart, and ready for JSON."""

import json

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.errors import compare_quantities
from defectkeras.quantification.quantify import quantify
from defectkeras.quantification.size_distances import find_sizes
from defectkeras.workflows.evaluation.scores import (
    POOLED,
    Evaluation,
    ExampleEvaluation,
)
from defectkeras.workflows.evaluation.tallies import tally

SCHEME = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "void", "region"))
)

LINES = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "dislocation", "line"))
)


def squares(*sides):
    class_map = np.zeros((60, 200), np.int32)
    for place, side in enumerate(sides):
        class_map[10 : 10 + side, 10 + 40 * place : 10 + 40 * place + side] = 1
    return class_map


def example(name, true, predicted, calibration=None, scheme=SCHEME):
    measured = [
        quantify(m, scheme, calibration or Calibration(0.5)) for m in (true, predicted)
    ]
    one, other = (find_sizes(m) for m in measured)
    p = np.eye(2, dtype=np.float32)[predicted]
    return ExampleEvaluation(
        name,
        tally(true, predicted, p, scheme, tolerance_px=2.0),
        compare_quantities(*measured),
        {name: (one[name], other[name]) for name in one},
    )


def evaluation(*examples, scheme=SCHEME):
    return Evaluation("m@1", "0" * 64, "drawn", "val", scheme, 2.0, examples)


@pytest.fixture
def two():
    return evaluation(
        example("a", squares(10, 12), squares(10, 12)),
        example("b", squares(20, 20, 20), squares(20, 10)),
    )


def test_scores_per_micrograph_and_pooled(two):
    table = two.scores().set_index(["micrograph", "class_name"])
    assert table.loc[("a", "void"), "iou"] == 1
    assert table.loc[("b", "void"), "iou"] == 500 / 1200
    assert table.loc[(POOLED, "void"), "iou"] == (244 + 500) / (244 + 1200)
    assert table.loc[(POOLED, "void"), "objects_matched"] == 3
    assert table.loc[(POOLED, "void"), "object_recall"] == 3 / 5
    assert len(table) == 6


def test_sizes_per_micrograph_and_pooled(two):
    table = two.sizes().set_index("micrograph")
    assert table.loc["a", "wasserstein"] == 0
    part = 1.29576 / (1.29576 + 1.71895)  # the edge weights of 10 px and 20 px
    assert table.loc["b", "kolmogorov_smirnov"] == pytest.approx(part, rel=1e-5)
    assert table.loc[POOLED, ["true_count", "predicted_count"]].tolist() == [5, 4]


def test_lines_alone_have_no_sizes():
    drawn = np.zeros((60, 200), np.int32)
    drawn[20, 10:90] = 1
    lines = evaluation(example("a", drawn, drawn, scheme=LINES), scheme=LINES)
    assert lines.sizes().columns[:2].tolist() == ["micrograph", "class_name"]
    told = json.loads(json.dumps(lines.to_dict(), allow_nan=False))
    assert told["sizes"] == told["per_micrograph"][0]["sizes"] == []
    errors = {row["name"]: row["mean_error_percent"] for row in told["quantities"]}
    assert errors["line_length_nm"] == 0


def test_units_are_never_mixed():
    mixed = evaluation(
        example("a", squares(10), squares(10)),
        example("b", squares(10), squares(10), Calibration()),
    )
    pooled = mixed.sizes().query("micrograph == @POOLED")
    assert sorted(pooled["unit"]) == ["nm", "px"]


def test_json_is_whole(two):
    scores = json.loads(json.dumps(two.to_dict(), allow_nan=False))
    assert scores["micrographs"] == ["a", "b"]
    assert scores["mean_iou_over_images"]["void"] == (1 + 500 / 1200) / 2
    assert scores["classes"]["void"]["object_f1"] == 2 * 3 / (5 + 4)
    parts = scores["per_micrograph"]
    assert [p["classes"]["void"]["object_f1"] for p in parts] == [1, 2 / 5]
    assert parts[0]["sizes"][0]["wasserstein"] == 0
    quantities = {row["name"]: row for row in scores["quantities"]}
    count = quantities["count"]
    assert count["mean_error_percent"] == pytest.approx(-100 / 6)
    assert count["mean_absolute_difference"] == 0.5
    assert count["reason"] is None
    swelling = quantities["swelling_percent"]
    assert swelling["mean_error_percent"] is None
    assert swelling["reason"].startswith("true: no foil thickness")
    assert {"name", "true", "predicted", "relative_error", "reason"} <= set(
        parts[1]["quantities"][0]
    )


def test_reliability_has_a_curve_for_each_class_and_for_the_likeliest(two):
    table = two.reliability()
    assert table["class_name"].unique().tolist() == ["", "matrix", "void"]
    assert (table.groupby("class_name")["pixels"].sum() == 2 * 60 * 200).all()
    assert table["bin"].max() == 15
