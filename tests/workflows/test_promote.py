"""A candidate is held against the current version on the same data."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from defectkeras.core.errors import DatasetError, RegistryError
from defectkeras.registry.gate import GATES, GateRules, decisions_on
from defectkeras.registry.load import load_model
from defectkeras.registry.store import ModelRegistry
from defectkeras.workflows import promote as workflow
from defectkeras.workflows.promote import (
    GateRequest,
    plan_promotion,
    promote,
    read_rules,
)

LENIENT = GateRules(
    most_iou_loss=1.0,
    most_class_iou_loss=1.0,
    most_density_error_rise_percent=1e9,
    most_latency_ratio=1e9,
)


@pytest.fixture
def registry(tiny_registry, tmp_path):
    """Two versions; the second one has forgotten its last layer."""
    registry = ModelRegistry(shutil.copytree(tiny_registry, tmp_path / "registry"))
    version = registry.resolve("tiny@1")
    model = load_model(version)
    model.layers[-1].set_weights(
        [np.zeros_like(w) for w in model.layers[-1].get_weights()]
    )
    registry.publish(
        "tiny",
        model,
        version.card,
        golden_image=np.arange(60 * 70, dtype=np.float32).reshape(60, 70),
    )
    return registry


def gate(synthetic_spec, rules=None):
    return GateRequest(synthetic_spec, "val", rules=rules or GateRules())


def test_first_version_passes_and_its_record_is_kept(registry, synthetic_spec):
    rules = GateRules(most_latency_ratio=1e9)
    promotion = promote(
        "tiny@1",
        gate=gate(synthetic_spec, rules),
        why="first",
        registry_root=registry.root,
    )
    assert promotion.passed
    assert promotion.before is None
    assert registry.resolve("tiny@production").version == 1
    record = json.loads(promotion.record.read_text())
    assert record["passed"] is True
    assert record["fingerprint"].startswith("sha256:")
    sheet = record["score_sheets"][0]
    assert sheet["sha256"] == registry.resolve("tiny@1").sha256
    assert sheet["seconds_per_micrograph"] > 0
    densities = {name.split(" of ")[0] for name in sheet["density_error_percent"]}
    assert "areal_density_per_m2" in densities
    assert "areal_density_per_px2" not in densities  # the same, said twice
    move = registry.alias_history("tiny")[-1]
    assert (move.gate, move.why) == (promotion.record.name, "first")
    assert registry.versions("tiny") == (1, 2)  # "gates" is no version


def test_refused_candidate_leaves_the_alias_and_a_record(registry, synthetic_spec):
    registry.set_alias("tiny", "production", 2)
    rules = GateRules(least_iou=0.99, most_latency_ratio=1e9)
    promotion = promote(
        "tiny@1", gate=gate(synthetic_spec, rules), registry_root=registry.root
    )
    assert not promotion.passed
    assert registry.resolve("tiny@production").version == 2
    record = json.loads(promotion.record.read_text())
    assert [s["reference"] for s in record["score_sheets"]] == ["tiny@1", "tiny@2"]
    assert record["checks"][0]["holds"] is False
    assert promotion.record.parent == registry.root / "tiny" / GATES
    assert decisions_on(registry.resolve("tiny@1")) == {promotion.record.name: record}
    assert decisions_on(registry.resolve("tiny@2")) == {}


def test_lenient_rules_let_it_pass(registry, synthetic_spec):
    registry.set_alias("tiny", "production", 1)
    request = gate(synthetic_spec, LENIENT)
    promotion = promote("tiny@2", gate=request, registry_root=registry.root)
    assert promotion.passed
    assert registry.resolve("tiny@production").version == 2
    assert registry.rollback("tiny", "production").to_version == 1


def test_alias_that_moved_while_the_gate_was_at_work_stays(
    registry, synthetic_spec, monkeypatch
):
    def decide_late(registry, promotion, gate, on_progress):
        registry.set_alias("tiny", "production", 2)
        return dataclasses.replace(promotion, record=Path("gates/record.json"))

    monkeypatch.setattr(workflow, "_pass_gate", decide_late)
    with pytest.raises(RegistryError, match=r"mean nothing until.* version 2"):
        promote("tiny@1", gate=gate(synthetic_spec), registry_root=registry.root)
    assert registry.aliases("tiny") == {"production": 2}


def test_without_a_gate_the_alias_just_moves(registry):
    assert promote("tiny@2", registry_root=registry.root).record is None
    assert registry.resolve("tiny@production").version == 2


def test_plan_tells_slips_before_anything_is_loaded(registry, synthetic_spec):
    def plan(alias="production", **changes):
        request = dataclasses.replace(gate(synthetic_spec), **changes)
        return plan_promotion(
            "tiny@1", alias=alias, gate=request, registry_root=registry.root
        )

    registry.set_alias("tiny", "production", 2)
    assert plan().compared == ("tiny@1", "tiny@2")
    assert plan(alias="best").compared == ("tiny@1",)
    with pytest.raises(DatasetError, match='the split "test" must have'):
        plan(split="test")
    with pytest.raises(DatasetError, match="folder of its files must exist"):
        plan(root=Path("nowhere"))
    with pytest.raises(RegistryError, match="An alias must"):
        plan(alias="Not-One")


def test_plan_tells_which_versions_know_the_data(registry, synthetic_spec):
    request = dataclasses.replace(gate(synthetic_spec), split="train")
    plan = plan_promotion(
        "tiny@1", alias="best", gate=request, registry_root=registry.root
    )
    assert set(plan.learned_from) == {"tiny@1"}


def test_slips_of_rules_are_told():
    with pytest.raises(RegistryError, match="Did you mean 'most_latency_ratio'"):
        read_rules(("most_latency=2",))
    with pytest.raises(RegistryError, match="must be a number"):
        read_rules(("most_latency_ratio=much",))
    assert read_rules(("most_latency_ratio=2",)).most_latency_ratio == 2.0
