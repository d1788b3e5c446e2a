"""Calibration against slow loops and drawn probabilities."""

import math

import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.metrics import count_reliability


def random_map(seed, shape=(5, 8), num_classes=3):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(num_classes), shape).astype(np.float32)
    return rng.integers(NOT_ANNOTATED, num_classes, shape), p


def slow_error(pairs, num_bins):
    """Bin (probability, right) pairs one by one."""
    bins = [[] for _ in range(num_bins)]
    for p, right in pairs:
        bins[max(math.ceil(p * num_bins) - 1, 0)].append((p, right))
    gaps = [abs(sum(p for p, _ in b) - sum(r for _, r in b)) for b in bins]
    return sum(gaps) / len(pairs), [len(b) for b in bins]


@pytest.mark.parametrize("index", [None, 0, 2])
@pytest.mark.parametrize("num_bins", [1, 4, 15])
def test_equals_slow_loops(index, num_bins):
    true, p = random_map(num_bins)
    pairs = []
    for place, truth in np.ndenumerate(true):
        if truth != NOT_ANNOTATED:
            k = int(p[place].argmax()) if index is None else index
            pairs.append((float(p[(*place, k)]), truth == k))
    error, sizes = slow_error(pairs, num_bins)
    counts = count_reliability(true, p, index=index, num_bins=num_bins)
    assert counts.expected_calibration_error == pytest.approx(error)
    assert counts.pixels.tolist() == sizes
    assert counts.pixels.dtype == counts.right.dtype == np.int64


def test_probabilities_that_are_true_have_no_error():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=(300, 400))
    true = (rng.uniform(size=p.shape) < p).astype(np.int32)
    counts = count_reliability(true, np.stack([1 - p, p], axis=-1), index=1)
    assert counts.expected_calibration_error < 0.01
    too_sure = np.clip(1.5 * p - 0.25, 0, 1)
    counts = count_reliability(true, np.stack([1 - too_sure, too_sure], -1), index=1)
    assert counts.expected_calibration_error > 0.08


def test_counts_of_parts_are_those_of_the_whole():
    true, p = random_map(1, (6, 9))
    parts = [count_reliability(true[s], p[s]) for s in (np.s_[:2], np.s_[2:])]
    whole, pooled = count_reliability(true, p), parts[0] + parts[1]
    np.testing.assert_array_equal(pooled.pixels, whole.pixels)
    np.testing.assert_array_equal(pooled.right, whole.right)
    np.testing.assert_allclose(pooled.probability_sum, whole.probability_sum)


def test_ends_and_nothing():
    p = np.array([[0.0, 1.0]])
    both = np.stack([1 - p, p], axis=-1)
    counts = count_reliability(np.array([[0, 1]]), both, index=1, num_bins=3)
    assert counts.pixels.tolist() == [1, 0, 1]
    assert counts.expected_calibration_error == 0
    assert np.isnan(counts.frequency[1])
    unknown = np.full((1, 2), NOT_ANNOTATED)
    for index in (None, 1):
        nothing = count_reliability(unknown, both, index=index)
        assert np.isnan(nothing.expected_calibration_error)


def test_slips_are_told():
    true, p = random_map(0)
    with pytest.raises(ValueError, match="height and the width"):
        count_reliability(true[1:], p)
    with pytest.raises(ValueError, match="`num_bins`"):
        count_reliability(true, p, num_bins=0)
