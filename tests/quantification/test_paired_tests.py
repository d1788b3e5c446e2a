import itertools

import numpy as np
import pytest
from scipy import stats

from defectkeras.quantification.paired_tests import (
    LEAST_FIELDS,
    holm_adjusted,
    paired_tests,
)


def test_signed_ranks_are_exact():
    differences = np.array([1.5, -0.4, 2.2, 3.1, 0.9, -1.2, 4.0])
    found = paired_tests(np.zeros(7), differences)

    ranks = stats.rankdata(np.abs(differences))
    sums = [ranks @ signs for signs in itertools.product((0, 1), repeat=7)]
    seen = ranks @ (differences > 0)
    far = min(seen, ranks.sum() - seen)
    expected = np.mean([min(s, ranks.sum() - s) <= far for s in sums])
    assert found.wilcoxon_p == pytest.approx(expected)


def test_t_is_that_of_the_differences():
    first, second = np.arange(8.0), np.array([1, 1, 4, 3, 6, 5, 8, 9.0])
    found = paired_tests(first, second)

    assert found.t_p == pytest.approx(stats.ttest_1samp(second - first, 0).pvalue)


@pytest.mark.parametrize("count", [0, 1, LEAST_FIELDS - 1])
def test_too_few_fields_say_so(count):
    found = paired_tests(np.zeros(count), np.arange(1.0, count + 1))

    assert (found.t_p, found.wilcoxon_p) == (None, None)
    assert f"too few fields: {count}" in found.reason


def test_with_one_field_less_no_p_could_be_small():
    assert paired_tests(np.zeros(6), np.arange(1.0, 7)).wilcoxon_p < 0.05
    assert 2 / 2 ** (LEAST_FIELDS - 1) > 0.05


def test_equal_fields_have_no_test():
    assert "no difference" in paired_tests(np.ones(6), np.ones(6)).reason
    assert "do not vary" in paired_tests(np.ones(6), np.ones(6) + 1).reason
    one_more = np.array([3, 5, 8, 9, 11, 14]), np.array([4, 6, 9, 10, 12, 15])
    densities = [counts / 786432 for counts in one_more]  # rounded
    assert "all equal" in paired_tests(*densities).reason


def test_holm_is_never_below_p_and_keeps_the_order():
    p = np.random.default_rng(0).random(20)
    adjusted = np.array(holm_adjusted(p.tolist()))

    assert (adjusted >= p).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()
    assert adjusted.max() <= 1
    assert holm_adjusted([]) == []
