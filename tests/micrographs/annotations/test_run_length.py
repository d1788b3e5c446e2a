import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.annotations.run_length import (
    counts_of_mask,
    counts_of_text,
    mask_of_counts,
    text_of_counts,
)

DISC = "Zn01\\1:I4M2N2N2N2N2O0O2O0000000O20N100000001N101N2N2N2N2N3L7FmQ1"


def box(rows, columns, size):
    mask = np.zeros(size, bool)
    mask[rows, columns] = True
    return mask


@settings(max_examples=100, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 40))))
def test_masks_come_back(mask):
    counts = counts_of_mask(mask)

    assert counts_of_text(text_of_counts(counts)) == counts
    np.testing.assert_array_equal(mask_of_counts(counts, mask.shape), mask)


def test_runs_go_down_the_columns():
    assert counts_of_mask(box(slice(0, 2), slice(0, 1), (3, 4))) == [0, 2, 10]
    assert counts_of_mask(box(slice(2, 3), slice(1, 2), (3, 4))) == [5, 1, 6]


@pytest.mark.parametrize("text", ["1", "~~", "6\n", "aaaaaaaaaaaaaaaaaaaaaa"])
def test_text_that_is_none_is_an_error(text):
    with pytest.raises(MicrographError):
        mask_of_counts(counts_of_text(text), (3, 4))


@pytest.mark.parametrize("counts", [[], [3], [13], [6, -1, 7], [10**12]])
def test_counts_that_do_not_add_up_are_an_error(counts):
    with pytest.raises(MicrographError, match="add up"):
        mask_of_counts(counts, (3, 4))


def test_counts_that_add_up_by_an_overflow_are_an_error():
    with pytest.raises(MicrographError, match="add up"):
        mask_of_counts([2**62] * 4 + [12], (3, 4))


@pytest.mark.parametrize("counts", [[5.5, 6.5], ["5", "7"], [[12]], [10**30]])
def test_counts_that_are_no_whole_numbers_are_an_error(counts):
    with pytest.raises(MicrographError, match="whole numbers"):
        mask_of_counts(counts, (3, 4))


def test_text_is_that_of_pycocotools():
    rows, columns = np.ogrid[:50, :70]
    disc = (rows - 20) ** 2 + (columns - 33) ** 2 <= 14**2
    for mask, text in (
        (disc, DISC),
        (box(slice(2, 9), slice(3, 8), (12, 15)), "V1750000000b2"),
        (box(slice(0, 40), slice(0, 9), (40, 9)), "0X;"),
    ):
        assert text_of_counts(counts_of_mask(mask)) == text
        np.testing.assert_array_equal(
            mask_of_counts(counts_of_text(text), mask.shape), mask
        )
