"""What differs between versions, and where they come from."""

import pytest

from defectkeras.registry.compare import diff_versions, trace_lineage


@pytest.fixture
def grown(registry, model, make_card, golden_image):
    """Three versions, each the child of the one before."""
    for number in (1, 2):
        card = make_card(
            parent=f"tiny@{number}",
            config={"epochs": 3 + number, "learning_rate": 1e-3},
            metrics={"val": {"iou": {"void": 0.75 + 0.01 * number}}},
        )
        registry.publish("tiny", model, card, golden_image=golden_image)
    return registry


def test_diff_names_what_differs_and_nothing_else(grown):
    found = diff_versions(grown.resolve("tiny@1"), grown.resolve("tiny@2"))
    told = {d.key: (d.first, d.second) for d in found}
    assert told == {
        "config.epochs": (3, 4),
        "metrics.val.iou.void": (0.75, 0.76),
        "parent": (None, "tiny@1"),
    }
    assert diff_versions(grown.resolve("tiny"), grown.resolve("tiny")) == ()


def test_an_empty_table_is_no_difference(registry, model, make_card, golden_image):
    card = make_card(
        metrics={}, applicability={"texture": {"limit": 2.5, "left_out": 9}}
    )
    registry.publish("tiny", model, card, golden_image=golden_image)
    found = diff_versions(registry.resolve("tiny@1"), registry.resolve("tiny@2"))
    told = {d.key: (d.first, d.second) for d in found}
    assert told["applicability.texture.limit"] == (None, 2.5)
    assert {} not in (*(d.first for d in found), *(d.second for d in found))


def test_lineage_goes_back_to_the_first(grown):
    chain = trace_lineage(grown, grown.resolve("tiny@3"))
    assert [a.reference for a in chain] == ["tiny@3", "tiny@2", "tiny@1"]
    assert chain[-1].version == grown.resolve("tiny@1")


def test_parent_that_is_gone_ends_the_lineage(registry, model, make_card, golden_image):
    card = make_card(parent="voids@7")
    version = registry.publish("tiny", model, card, golden_image=golden_image)
    chain = trace_lineage(registry, version)
    assert [a.reference for a in chain] == ["tiny@2", "voids@7"]
    assert chain[-1].version is None
