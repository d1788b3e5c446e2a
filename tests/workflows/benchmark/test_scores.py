"""Means and spreads of a benchmark, against values by hand."""

import pytest

from defectkeras.workflows.benchmark.candidates import Candidate
from defectkeras.workflows.benchmark.scores import (
    FIXED_COSTS,
    MEAN_COSTS,
    SCORES,
    TIMES,
    summarize,
)

NONE = dict.fromkeys((*SCORES, *FIXED_COSTS, *MEAN_COSTS, *TIMES))


def test_scores_get_mean_and_spread_and_times_the_least():
    nets = Candidate("architecture", "unet", "unet", {}, "ce"), Candidate("method", "x")
    rows = [
        {**NONE, "key": "unet_ce", "iou": 0.5, "seconds_per_megapixel": 4.0},
        {**NONE, "key": "unet_ce", "iou": 0.7, "seconds_per_megapixel": 3.0},
        {**NONE, "key": "x", "iou": None, "f1": 0.2},
    ]
    table = summarize(rows, nets)
    assert table["candidate"].tolist() == ["unet", "x"]
    assert table["folds"].tolist() == [2, 1]
    unet, method = (row for _, row in table.iterrows())
    assert unet["iou"] == pytest.approx(0.6)
    assert unet["iou_spread"] == pytest.approx(0.02**0.5)
    assert unet["iou_folds"] == 2
    assert unet["f1_folds"] == 0
    assert unet["seconds_per_megapixel"] == 3
    assert method["f1"] == 0.2
    assert method[["iou", "f1_spread", "parameters"]].isna().all()
