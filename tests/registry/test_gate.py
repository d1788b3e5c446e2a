"""A candidate passes when it keeps what the rules name, and only then."""

import dataclasses
import math

import pytest

from defectkeras.core.errors import RegistryError
from defectkeras.registry.gate import GateRules, ScoreSheet, apply_gate

CURRENT = ScoreSheet(
    reference="voids@1",
    sha256="",
    iou={"void": 0.8, "dislocation": 0.6, "loop": None},
    density_error_percent={"number_density_per_m3 of void": 8.0, "unknown": None},
    seconds_per_micrograph=2.0,
    scores={},
)


def failing(rules=None, **changes):
    candidate = dataclasses.replace(CURRENT, reference="voids@2", **changes)
    checks = apply_gate(rules or GateRules(), candidate, CURRENT)
    return [c.rule for c in checks if not c.holds]


def test_the_same_scores_pass():
    assert failing() == []


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        (
            {"iou": {"void": 0.8, "dislocation": 0.599}},
            ["mean IoU of the defects at least"],
        ),
        (
            {"iou": {"void": 0.85, "dislocation": 0.56}},
            ["IoU of dislocation at least"],
        ),
        (
            {"iou": {"void": 0.9}},
            ["IoU of dislocation at least"],
        ),
        (
            {"density_error_percent": {"number_density_per_m3 of void": 9.1}},
            ["error of number_density_per_m3 of void in percent at most"],
        ),
        (
            {"density_error_percent": {}},
            ["error of number_density_per_m3 of void in percent at most"],
        ),
        ({"seconds_per_micrograph": 2.5}, ["seconds per micrograph at most"]),
    ],
)
def test_what_became_worse_is_named(changes, rules):
    assert failing(**changes) == rules


def test_rules_can_be_loosened():
    rules = GateRules(most_latency_ratio=1.5, most_iou_loss=0.05)
    assert failing(rules, seconds_per_micrograph=2.9) == []


def test_first_version_passes_on_the_floor_alone():
    assert CURRENT.mean_iou == pytest.approx(0.7)
    assert [c.holds for c in apply_gate(GateRules(), CURRENT, None)] == [True]
    checks = apply_gate(GateRules(least_iou=0.75), CURRENT, None)
    assert [c.holds for c in checks] == [False]


def test_version_without_any_iou_has_none():
    empty = dataclasses.replace(CURRENT, iou={"void": None})
    assert empty.mean_iou == 0.0


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"most_iou_loss": -0.1}, "`most_iou_loss` must be from 0 to 1"),
        ({"most_class_iou_loss": 5}, "`most_class_iou_loss` must be from 0 to 1"),
        ({"least_iou": 80}, "`least_iou` must be from 0 to 1"),
        ({"most_density_error_rise_percent": math.inf}, "must be at least 0"),
        ({"most_latency_ratio": math.nan}, "must be at least 0"),
        ({"most_latency_ratio": 0}, "`most_latency_ratio` must be above 0"),
    ],
)
def test_rule_that_nothing_or_anything_keeps_is_told(rule, told):
    with pytest.raises(RegistryError, match=told):
        GateRules(**rule)
