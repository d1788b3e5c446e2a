import numpy as np
import pandas as pd
import pytest

from defectkeras.quantification.human_spread import agreement_spread, quantity_spread


def test_one_more_person_like_them_is_inside_as_often_as_expected():
    rng = np.random.default_rng(0)
    names = ["a", "b", "c", "one more"]
    table = pd.DataFrame(rng.normal(100, 10, (20_000, 4)), columns=names)
    (spread,) = quantity_spread(table, names[:3], names[3:], "void", "count")

    assert spread.expected_percent == 50
    assert spread.share_percent == pytest.approx(50, abs=1.5)


def test_a_mean_outside_is_outside_and_missing_models_are_passed_over():
    table = pd.DataFrame({"a": [1.0, 2], "b": [2.0, 4], "net": [5.0, 3]})
    (spread,) = quantity_spread(table, ["a", "b"], ["net", "none"], "void", "count")

    assert not spread.is_within
    assert (spread.people_low, spread.people_high, spread.model_mean) == (1.5, 3, 4)
    assert quantity_spread(table.iloc[:0], ["a", "b"], ["net"], "void", "count") == []


@pytest.mark.parametrize(("worst", "is_within"), [(0.5, True), (0.3, False)])
def test_agreement_with_the_farthest_person_decides(worst, is_within):
    scores = {("a", "b"): 0.4, ("a", "c"): 0.7, ("b", "c"): 0.6}
    scores |= {("a", "net"): 0.9, ("b", "net"): worst, ("net", "c"): 0.8}
    rows = pd.DataFrame(
        [
            {"class_name": "void", "first": f, "second": s, "iou": v + more}
            for (f, s), v in scores.items()
            for more in (-0.25, 0.125, 0.125)  # three fields
        ]
    )
    (spread,) = agreement_spread(rows, "iou", ["a", "b", "c"], ["net"])

    assert spread.name == "pixel_iou"
    assert (spread.people_low, spread.people_high) == pytest.approx((0.4, 0.7))
    assert spread.model_mean == pytest.approx(worst)
    assert spread.is_within is is_within
