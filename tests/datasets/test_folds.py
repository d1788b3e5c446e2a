import pytest

from defectkeras.core.errors import DatasetError
from defectkeras.datasets.folds import assign_folds, spec_of_fold
from defectkeras.datasets.spec import load_dataset_spec

SPECIMENS = ["a"] * 4 + ["b"] * 3 + ["c"] * 2 + ["d"] * 2 + ["e"]


@pytest.mark.parametrize("num_folds", [2, 3, 5])
def test_a_specimen_is_in_one_fold(num_folds):
    folds = assign_folds(SPECIMENS, num_folds, seed=1)
    pairs = set(zip(SPECIMENS, folds, strict=True))
    assert len(pairs) == 5
    assert set(folds) == set(range(num_folds))


def test_folds_are_of_like_size_and_follow_the_seed():
    folds = assign_folds(SPECIMENS, 3)
    assert max(map(folds.count, range(3))) - min(map(folds.count, range(3))) <= 1
    assert assign_folds(SPECIMENS, 3) == folds
    singles = [str(k) for k in range(20)]
    assert assign_folds(singles, 4, seed=0) != assign_folds(singles, 4, seed=1)


@pytest.mark.parametrize("num_folds", [0, 1, 6])
def test_too_few_specimens_are_told(num_folds):
    with pytest.raises(DatasetError, match="5 specimens"):
        assign_folds(SPECIMENS, num_folds)


def test_each_example_is_held_out_once(synthetic_spec):
    spec = load_dataset_spec(synthetic_spec)
    held_out = []
    for fold in range(2):
        own = spec_of_fold(spec, 2, fold)
        assert {e.name for e in own.examples} == {e.name for e in spec.examples}
        held_out += [e.name for e in own.of_split("val")]
        assert len(own.of_split("train")) == 2
    assert sorted(held_out) == sorted(e.name for e in spec.examples)
