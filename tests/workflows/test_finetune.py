"""A version trained further on own fields."""

import dataclasses

import pytest

from defectkeras.core.errors import ModelError, RegistryError
from defectkeras.registry.compare import trace_lineage
from defectkeras.registry.store import ModelRegistry
from defectkeras.workflows import finetune as workflow
from defectkeras.workflows.finetune import (
    CAREFUL,
    WITH_NEW_CLASSES,
    FinetuneRequest,
    finetune,
    plan_finetuning,
    settings_at,
)

pytestmark = pytest.mark.usefixtures("no_pictures")

TINY = {"flag": {"epochs": 1, "steps_per_epoch": 1, "batch_size": 1, "patch_size": 32}}


@pytest.fixture
def request_tiny(tiny_registry, synthetic_spec):
    return FinetuneRequest("tiny", synthetic_spec, registry_root=tiny_registry)


@dataclasses.dataclass(frozen=True)
class Card:
    config: dict
    arguments: dict
    architecture: str = "encoder_unet"
    symmetries: str = "left-right"


def test_settings_are_careful_and_those_of_the_parent():
    config = {"loss": "dice", "patch_size": 128, "target_pixel_size_nm": None}
    card = Card(config, {"num_classes": 1, "encoder_weights": "imagenet"})
    small, large = (settings_at(CAREFUL, card, n) for n in (10_000, 10**9))
    assert small["loss"] == "dice"
    assert small["model"] == {"encoder_weights": None}
    assert small["encoder_rate_factor"] == 0.2
    plain = settings_at(CAREFUL, Card({}, {}, architecture="unet"), 10_000)
    assert "encoder_rate_factor" not in plain
    assert small["augmentation"]["scale_range"] == [0.7, 1.4]
    assert small["augmentation"]["symmetries"] == "left-right"
    assert "target_pixel_size_nm" not in small
    assert (small["epochs"], large["epochs"]) == (5, 50)
    new = settings_at(WITH_NEW_CLASSES, card, 10_000)
    assert (new["learning_rate"], new["encoder_rate_factor"]) == (1e-3, 0.5)
    assert new["epochs"] == 20


def test_plan_tells_what_would_be_done(request_tiny):
    plan = plan_finetuning(request_tiny)
    assert plan.version.reference == "tiny@1"
    assert plan.same_classes
    assert plan.validation == "the split val of the data"
    assert plan.settings.architecture == "patch_classifier"
    assert plan.settings.config.patch_size == 48
    assert plan.settings.config.learning_rate == 3e-4
    assert plan.settings.origins["learning_rate"] == "finetune"


def test_new_classes_are_learned_faster(request_tiny, synthetic_spec):
    text = synthetic_spec.read_text().replace('name = "void"', 'name = "bubble"')
    path = synthetic_spec.with_name("bubbles.toml")
    path.write_text("\n".join(x for x in text.splitlines() if "fingerprint" not in x))
    plan = plan_finetuning(dataclasses.replace(request_tiny, data=path))
    path.unlink()
    assert not plan.same_classes
    assert plan.settings.config.learning_rate == 1e-3


def test_unknown_model_is_told(request_tiny):
    request = dataclasses.replace(request_tiny, model="tinny")
    with pytest.raises(RegistryError, match="Did you mean 'tiny'"):
        plan_finetuning(request)


def test_model_that_cannot_be_built_is_refused(request_tiny, monkeypatch):
    version = ModelRegistry(request_tiny.registry_root).resolve("tiny")
    card = dataclasses.replace(version.card, architecture="imported")
    foreign = dataclasses.replace(version, card=card)
    monkeypatch.setattr(workflow.ModelRegistry, "resolve", lambda *_: foreign)
    with pytest.raises(ModelError, match="Unknown architecture 'imported'"):
        plan_finetuning(request_tiny)


@pytest.mark.slow
def test_one_field_without_validation_becomes_a_child(
    request_tiny, synthetic_spec, tmp_path
):
    text = synthetic_spec.read_text().replace("\nval =", "\nunused =")
    path = synthetic_spec.with_name("one.toml")
    path.write_text("\n".join(x for x in text.splitlines() if "fingerprint" not in x))
    request = dataclasses.replace(
        request_tiny,
        data=path,
        name="child",
        run_folder=tmp_path / "run",
        settings=TINY,
    )
    version, run = finetune(request)
    path.unlink()
    assert version.reference == "child@1"
    assert version.card.parent == "tiny@1"
    lineage = trace_lineage(ModelRegistry(request.registry_root), version)
    assert [a.reference for a in lineage] == ["child@1", "tiny@1"]
    assert {name[:4] for name in version.card.split["val"]} == {"val/"}
    assert (tmp_path / "run" / "fields" / "dataset.toml").exists()
    assert len(run.history) == 1
