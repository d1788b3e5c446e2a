"""Training micrographs in a card, and others against them."""

import dataclasses

import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.calibration import Calibration
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample, load_dataset_spec, load_micrograph
from defectkeras.workflows.trust.applicability import (
    MOST_MICROGRAPHS,
    _evenly,
    compare_with_training,
    learn_references,
)


@dataclasses.dataclass(frozen=True)
class Card:
    applicability: dict
    name: str = "tiny"


def sure(micrograph):
    """Probabilities that say 0.99 everywhere."""
    shape = micrograph.pixels.shape
    return np.broadcast_to(np.array([0.99, 0.01], np.float32), (*shape, 2))


def whole(example):
    """All of it is annotated."""
    micrograph = load_micrograph(example)
    return LoadedExample(micrograph, np.zeros(micrograph.shape, np.int32))


@pytest.fixture(scope="module")
def learned(synthetic_spec):
    examples = load_dataset_spec(synthetic_spec).examples
    return examples, learn_references(examples, [whole(examples[0])], sure)


def test_own_micrographs_pass_and_blurred_stripes_do_not(learned):
    examples, table = learned
    card = Card(table)
    for example in examples:
        micrograph = load_micrograph(example)
        found = compare_with_training(card, micrograph, sure(micrograph))
        assert set(found.ratios) == {"grey levels", "texture", "certainty"}
        assert found.warning is None
    stripes = np.tile(np.arange(160) % 16 < 8, (120, 1)).astype(np.float32)
    foreign = Micrograph(stripes, Calibration(), "stripes")
    warning = compare_with_training(card, foreign, sure(foreign)).warning
    assert "texture" in warning


def test_counts_and_kinds(learned, synthetic_spec):
    examples, table = learned
    assert table["texture"]["left_out"] == len(examples) == 4
    assert (
        table["certainty"]["left_out"] == 1
    )  # one is unseen, and left out in quarters
    assert set(learn_references(examples)) == {"grey levels", "texture"}


def test_a_field_that_is_in_two_splits_is_no_likeness_of_itself(learned):
    field, other = learned[0][:2]
    table = learn_references([field, other, field, other])
    assert table == learn_references([field, other])
    assert table["texture"]["left_out"] == 2


@pytest.mark.parametrize("count", [1, 2])
def test_certainty_is_learned_where_it_was_not_trained(learned, count):
    def surer_on_the_left(micrograph):
        """The left three quarters were trained on."""
        probability = np.full(micrograph.shape, 0.8, np.float32)
        probability[:, :114] = 0.999
        return np.stack([probability, 1 - probability], axis=-1)

    def unsure(micrograph):
        return np.full((*micrograph.shape, 2), (0.8, 0.2), np.float32)

    examples = learned[0][:count]
    parts = [whole(example) for example in examples]
    for part in parts:
        part.class_map[:, :114] = NOT_ANNOTATED
    nothing = whole(examples[0])
    nothing.class_map[:] = NOT_ANNOTATED
    found = learn_references(examples, [*parts, nothing], surer_on_the_left)
    as_whole = [whole(example) for example in examples]
    assert found == learn_references(examples, as_whole, unsure)
    assert "certainty" not in learn_references(examples, [nothing], unsure)


def test_a_card_without_statistics_says_nothing(learned):
    micrograph = load_micrograph(learned[0][0])
    assert compare_with_training(Card({}), micrograph, sure(micrograph)) is None


def test_many_micrographs_are_looked_at_evenly():
    assert _evenly(list(range(5))) == list(range(5))
    many = _evenly(list(range(200)))
    assert len(many) <= MOST_MICROGRAPHS
    assert set(np.diff(many)) == {4}
    assert _evenly([]) == []
