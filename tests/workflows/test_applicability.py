"""Training micrographs in a card, and others against them."""

import dataclasses

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import load_dataset_spec, load_micrograph
from defectkeras.workflows.applicability import (
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


@pytest.fixture(scope="module")
def learned(synthetic_spec):
    examples = load_dataset_spec(synthetic_spec).examples
    return examples, learn_references(examples, [load_micrograph(examples[0])], sure)


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
    assert table["certainty"]["left_out"] == 4  # quarters of the one that is unseen
    assert set(learn_references(examples)) == {"grey levels", "texture"}


def test_a_field_that_is_in_two_splits_is_no_likeness_of_itself(learned):
    field, other = learned[0][:2]
    table = learn_references([field, other, field, other])
    assert table == learn_references([field, other])
    assert table["texture"]["left_out"] == 8  # quarters of two


def test_a_card_without_statistics_says_nothing(learned):
    micrograph = load_micrograph(learned[0][0])
    assert compare_with_training(Card({}), micrograph, sure(micrograph)) is None


def test_many_micrographs_are_looked_at_evenly():
    assert _evenly(list(range(5))) == list(range(5))
    many = _evenly(list(range(200)))
    assert len(many) <= MOST_MICROGRAPHS
    assert set(np.diff(many)) == {4}
    assert _evenly([]) == []
