from types import SimpleNamespace

import pytest

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.models.build import build_model
from defectkeras.registry import load
from defectkeras.registry.store import ModelRegistry
from defectkeras.training import strategy
from defectkeras.training.config import TrainingConfig
from defectkeras.workflows.fresh_model import build_model_for
from defectkeras.workflows.training_request import TrainingRequest


def test_rates_that_reach_beyond_the_patches_are_told(synthetic_spec, caplog):
    request = TrainingRequest(
        synthetic_spec,
        architecture="deeplab_v3",
        arguments={"encoder": "mobilenet_v2", "encoder_alpha": 0.35},
    )
    spec = load_dataset_spec(synthetic_spec)
    for patch_size in (160, 304):
        config = TrainingConfig(precision="float32", patch_size=patch_size)
        build_model_for(request, spec, config, strategy.choose_devices("one"))
    (told,) = (m for m in caplog.messages if "rates" in m)
    assert told.startswith(
        "The rates 12, 18 reach beyond the map that patches of 160 px"
    )


@pytest.mark.parametrize(
    ("num_classes", "told"),
    [
        (4, ["The classes are not those of parent@1, but as many: its head is kept"]),
        (3, ["New are the layers logits; the others have the weights of parent@1."]),
    ],
)
def test_what_becomes_of_the_head_is_told(
    synthetic_spec, monkeypatch, caplog, num_classes, told
):
    caplog.set_level("INFO")
    classes = (DefectClass(k, f"other_{k}", "region") for k in range(1, num_classes))
    scheme = LabelScheme((DefectClass(0, "matrix", "matrix"), *classes))
    version = SimpleNamespace(reference="parent@1", card=SimpleNamespace(scheme=scheme))
    arguments = {"patch_size": 9, "filters": 4}
    parent = build_model("patch_classifier", num_classes=num_classes, **arguments)
    monkeypatch.setattr(ModelRegistry, "resolve", lambda *_: version)
    monkeypatch.setattr(load, "load_model", lambda _: parent)
    request = TrainingRequest(
        synthetic_spec,
        architecture="patch_classifier",
        arguments=arguments,
        parent="parent",
    )
    spec = load_dataset_spec(synthetic_spec)
    config = TrainingConfig(precision="float32", patch_size=48)
    build_model_for(request, spec, config, strategy.choose_devices("one"))
    assert [m[: len(told[0])] for m in caplog.messages if "parent@1" in m] == told
