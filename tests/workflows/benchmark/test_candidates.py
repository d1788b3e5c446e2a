"""What is compared, as a user writes it."""

import pytest

from defectkeras.core.errors import DatasetError, ModelError, TrainingError
from defectkeras.models.build import MODEL_BUILDERS
from defectkeras.training.settings import resolve_settings
from defectkeras.workflows.benchmark.candidates import (
    ARCHITECTURES,
    choose_candidates,
    read_call,
)

SETTINGS = resolve_settings({"flag": {"architecture": "unet", "model": {"filters": 4}}})


def choose(num_classes=2, **named):
    return choose_candidates(SETTINGS, num_classes=num_classes, **named)


def test_nothing_named_is_all_of_all():
    groups = [c.group for c in choose()]
    assert {g: groups.count(g) for g in groups} == {
        "architecture": 8,
        "upsampling": 4,
        "loss": 5,
        "method": 6,
    }
    several = choose(num_classes=4)
    assert [c.name for c in several if c.group == "method"] == ["random_forest"]


def test_all_architectures_are_known():
    assert {read_call(text)[0] for text in ARCHITECTURES} <= set(MODEL_BUILDERS)


def test_arguments_and_expressions_may_hold_commas():
    nets = choose(architectures="unet(filters=4, batch_norm=False), segnet")
    assert [c.architecture for c in nets] == ["unet", "segnet"]
    assert nets[0].arguments == {"filters": 4, "batch_norm": False}
    tuples = "deeplab_v3(multi_grid=(1, 2, 4), rates=(6, 12)), deeplab_v3(rates=(3,))"
    deep = [c.arguments for c in choose(architectures=tuples)]
    assert deep == [{"multi_grid": (1, 2, 4), "rates": (6, 12)}, {"rates": (3,)}]
    losses = choose(losses="ce, 0.5*ce + tversky(alpha=0.3, beta=0.7)")
    assert [c.loss for c in losses] == ["ce", "0.5*ce + tversky(alpha=0.3, beta=0.7)"]


def test_parts_are_compared_in_the_network_of_the_settings():
    (nearest,) = choose(upsampling="nearest")
    assert nearest.architecture == "unet"
    assert nearest.arguments == {"filters": 4, "upsampling": "nearest"}
    assert nearest.loss == "ce"


def test_what_is_computed_alike_has_one_key():
    """So that a network in two groups is trained once."""
    (network,) = choose(architectures="unet(filters=4)")
    (loss,) = choose(losses="ce")
    assert network.key == loss.key == "unet_filters=4_ce"
    (other,) = choose(losses="focal")
    assert other.key != loss.key


@pytest.mark.parametrize(
    "text", ["unet(4)", "unet(filters=", "3", "a.b", "unet()(x=1)"]
)
def test_what_cannot_be_read_is_told(text):
    with pytest.raises(ModelError, match="a name or a call"):
        read_call(text)


@pytest.mark.parametrize(
    ("named", "error", "meant"),
    [
        ({"architectures": "unett"}, ModelError, "unet"),
        ({"architectures": "unet(filter=4)"}, ModelError, "filters"),
        ({"upsampling": "neares"}, ModelError, "nearest"),
        ({"losses": "ce, dise"}, TrainingError, "dice"),
        ({"methods": "ridge"}, DatasetError, "ridges"),
    ],
)
def test_unknown_names_are_told_before_anything_is_trained(named, error, meant):
    with pytest.raises(error, match=f"Did you mean '{meant}'"):
        choose(**named)
