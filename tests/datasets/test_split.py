import re
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from defectkeras.datasets.form import SPLITS, SplitForm
from defectkeras.datasets.split import assign_splits

UNITS = st.lists(st.text("abcxyz[]*?", min_size=1, max_size=4), max_size=12)
SHARES = st.sampled_from([(0.7, 0.15, 0.15), (0.8, 0.2, 0.0), (1.0, 0, 0), (0, 0, 1.0)])


def test_lists_name_and_match():
    form = SplitForm(train=("spot[34]*",), val=("spot1_0d",), unused=("*_bad",))
    units = ["spot3_a", "spot4_b", "spot1_0d", "x_bad", "spot3_a"]
    splits, faults = assign_splits(units, form)
    assert splits == ("train", "train", "val", None, "train")
    assert faults == ()


def test_a_name_goes_before_a_pattern():
    form = SplitForm(train=("a[1]",), val=("a1",))
    assert assign_splits(["a[1]", "a1"], form) == (("train", "val"), ())


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (
            SplitForm(train=("a", "b"), val=("b",)),
            "'b' must be in one .* train and val",
        ),
        (SplitForm(train=("a",)), "'b' must be in one .* Received: none"),
        (SplitForm(train=("*",), test=("d",)), "test entry 'd' names nothing"),
        (SplitForm(train=("*",), val=("B",)), "Did you mean 'b'"),
        (SplitForm(fractions=(0.4, 0.3, 0.3)), "at least 3 files or specimens.*: 2"),
    ],
)
def test_what_does_not_fit_is_told(form, message):
    splits, faults = assign_splits(["a", "b"], form)
    assert len(splits) == 2
    assert len(faults) == 1
    assert re.search(message, faults[0])


def test_every_fault_is_told_at_once():
    form = SplitForm(train=("a", "x"), val=("a", "y"))
    _, faults = assign_splits(["a", "b", "c"], form)
    assert len(faults) == 5


def test_no_example_no_second_fault():
    assert assign_splits([], SplitForm(train=("a",))) == ((), ())
    assert assign_splits([], SplitForm(fractions=(0.5, 0.5, 0))) == ((), ())


@given(UNITS, SHARES, st.integers(0, 9))
def test_fractions_part_no_unit_and_leave_nothing_out(units, fractions, seed):
    form = SplitForm(fractions=fractions, seed=seed)
    splits, faults = assign_splits(units, form)
    shares = dict(zip(SPLITS, fractions, strict=True))
    assume(not faults)
    assert len(splits) == len(units)
    assert all(shares[split] > 0 for split in splits)
    by_unit = {}
    for unit, split in zip(units, splits, strict=True):
        assert by_unit.setdefault(unit, split) == split
    if units:
        assert set(splits) == {s for s in SPLITS if shares[s]}


@given(UNITS, SHARES, st.integers(0, 9), st.randoms())
def test_fractions_do_not_depend_on_the_order(units, fractions, seed, random):
    form = SplitForm(fractions=fractions, seed=seed)
    splits = dict(zip(units, assign_splits(units, form)[0], strict=True))
    random.shuffle(units)
    assert splits == dict(zip(units, assign_splits(units, form)[0], strict=True))


@given(st.integers(7, 200), st.integers(0, 99))
def test_fractions_come_as_near_as_whole_files_let_them(count, seed):
    form = SplitForm(fractions=(0.7, 0.15, 0.15), seed=seed)
    splits, _ = assign_splits([f"f{i}" for i in range(count)], form)
    counts = Counter(splits)
    for split, share in zip(SPLITS, (0.7, 0.15, 0.15), strict=True):
        assert abs(counts[split] - max(1, share * count)) <= 1


@pytest.mark.parametrize(
    ("seed", "train", "val", "test"), [(0, "0267", "45", "13"), (1, "2357", "04", "16")]
)
def test_seeds_differ_and_a_split_stays_the_same_forever(seed, train, val, test):
    form = SplitForm(fractions=(0.5, 0.25, 0.25), seed=seed)
    splits, _ = assign_splits("01234567", form)
    told = {s: "".join(str(i) for i, t in enumerate(splits) if t == s) for s in SPLITS}
    assert told == {"train": train, "val": val, "test": test}
