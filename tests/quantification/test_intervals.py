import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from defectkeras.quantification.intervals import (
    Interval,
    field_statistics,
    fields_needed,
    garwood_interval,
    random_lengths_interval,
    ratio_interval,
    spread_interval,
    weighted_count_interval,
)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904),
     (100, 81.364, 121.627)],
)  # fmt: skip
def test_published_intervals_of_counts(count, low, high):
    interval = garwood_interval(count)
    assert interval.low == pytest.approx(low, abs=5e-4)
    assert interval.high == pytest.approx(high, abs=5e-4)


@settings(deadline=None)
@given(st.integers(1, 500))
def test_garwood_inverts_the_poisson_tails(count):
    interval = garwood_interval(count)
    assert stats.poisson.sf(count - 1, interval.low) == pytest.approx(0.025, rel=1e-6)
    assert stats.poisson.cdf(count, interval.high) == pytest.approx(0.025, rel=1e-6)


def test_equal_weights_are_scaled_counts():
    interval = weighted_count_interval(np.full(7, 0.3), 0.3)
    counted = garwood_interval(7)
    assert interval.low == pytest.approx(0.3 * counted.low)
    assert interval.high == pytest.approx(0.3 * counted.high)
    assert weighted_count_interval(np.zeros(0), 2.0).high == pytest.approx(7.3778, 1e-4)


def test_weighted_sums_are_covered():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(600):
        weights = rng.lognormal(0, 0.7, rng.poisson(30))
        interval = weighted_count_interval(weights, 1.0)
        hits += interval.low <= 30 * np.exp(0.7**2 / 2) <= interval.high
    assert 0.92 < hits / 600 < 0.99


def test_lengths_by_chance_are_a_ratio_of_gamma_variables():
    lengths = np.array([12.0, 30.0, 7.0, 160.0, 41.0])
    shape = lengths.mean() ** 2 / lengths.var()
    assert shape < 1
    rng, size = np.random.default_rng(3), 400_000
    mean = lengths.mean() * shape * 5 / rng.gamma(shape * 5, size=size)
    ends = np.quantile(rng.gamma(5.5, size=size) * mean, [0.025, 0.975])
    interval = random_lengths_interval(lengths)
    assert (interval.low, interval.high) == pytest.approx(tuple(ends), rel=0.02)


def test_published_f_values_of_lengths_by_chance():
    """F(.975; 5, 5) = 7.1464 of the tables; v of two equal lengths is 8 / 10."""
    interval = random_lengths_interval(np.array([50.0, 50.0]))
    assert interval.low == pytest.approx(125 / 7.1464, rel=1e-4)
    assert interval.high == pytest.approx(125 * 7.1464, rel=1e-4)


def test_many_lengths_by_chance_are_as_sure_as_their_squares():
    lengths = np.random.default_rng(4).exponential(size=4000)
    interval = random_lengths_interval(lengths)
    half = 1.96 * np.sqrt((lengths**2).sum())
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.05)


def test_many_equal_lengths_are_as_sure_as_counts():
    interval = random_lengths_interval(np.full(900, 2.0))
    assert (interval.high - interval.low) / 2 == pytest.approx(2 * 1.96 * 30, rel=0.02)


@pytest.mark.parametrize("expected", [4, 13])
@pytest.mark.parametrize("law", ["exponential", "lognormal"])
def test_sums_of_few_lengths_are_covered(expected, law):
    rng = np.random.default_rng(expected)
    hits = dict.fromkeys(("lengths", "weights"), 0)
    for _ in range(500):
        count = max(rng.poisson(expected), 1)
        if law == "exponential":
            lengths = rng.exponential(size=count)
        else:
            lengths = rng.lognormal(-(0.9**2) / 2, 0.9, count)
        found = {
            "lengths": random_lengths_interval(lengths),
            "weights": weighted_count_interval(lengths, 1.0),
        }
        for name, interval in found.items():
            hits[name] += interval.low <= expected <= interval.high
    assert hits["lengths"] / 500 > 0.93
    assert hits["weights"] < hits["lengths"]


@pytest.mark.parametrize("count", [2, 5, 30])
@pytest.mark.parametrize("heaviest", [1.0, 3.0])
def test_a_spread_holds_its_share(count, heaviest):
    rng = np.random.default_rng(count)
    hits = 0
    for _ in range(600):
        weights = rng.uniform(1.0, heaviest, count)
        interval = spread_interval(rng.normal(3.0, 0.3, count), weights)
        hits += interval.low <= 0.3 <= interval.high
    assert hits / 600 == pytest.approx(0.95, abs=0.03)


def test_a_long_tail_widens_the_interval_of_a_spread():
    values = np.random.default_rng(0).normal(0.0, 1.0, 40)
    tailed = np.where(np.arange(40) == 7, -9.0, values)
    ratios = []
    for found in (values, tailed):
        interval = spread_interval(found, np.ones(40))
        ratios.append(interval.high / interval.low)
    assert ratios[1] > 2 * ratios[0]


@pytest.mark.parametrize("count", [1, 4])
def test_what_does_not_differ_has_no_spread(count):
    assert spread_interval(np.full(count, 3.1), np.full(count, 1.1)) is None


def test_ratio_interval_is_student_for_equal_sizes():
    values = np.array([2.0, 4.0, 3.0, 5.0, 3.5])
    interval = ratio_interval(values, np.ones(5))
    expected = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (interval.low, interval.high) == pytest.approx(expected)


@pytest.mark.parametrize("weight", [1.0, 1.1])
def test_what_does_not_differ_has_no_interval_of_its_mean(weight):
    sizes, weights = np.full(3, 15.837556323903858), np.array([weight, 1.2, 1.3])
    assert ratio_interval(weights * sizes, weights) is None


def test_ratio_interval_leaves_empty_blocks_out():
    amounts, sizes = np.array([2.0, 0.0, 3.0]), np.array([4.0, 0.0, 5.0])
    assert ratio_interval(amounts, sizes) == ratio_interval(amounts[::2], sizes[::2])
    assert ratio_interval(np.ones(1), np.ones(1)) is None


def test_statistics_of_fields():
    values = np.array([10.1, 12.3, 9.4, 11.8, 10.9])
    found = field_statistics(values)
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    accuracy = 100 * (high - low) / 2 / values.mean()
    assert found.relative_accuracy_percent == pytest.approx(accuracy)
    assert fields_needed(found, accuracy / 2) in (20, 21)
    for end in (found.interval.low, found.interval.high):
        sigma = stats.sem(values) * np.sqrt(end / values.mean())
        assert abs(end - values.mean()) == pytest.approx(stats.t.isf(0.025, 4) * sigma)
    with pytest.raises(ValueError, match="two fields"):
        field_statistics(values[:1])


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3e5])  # the sum of three is rounded
def test_equal_fields_do_not_differ_by_rounding(value):
    assert field_statistics(np.full(3, value)).standard_deviation == 0


def test_equal_fields_nearly_have_the_interval_of_e562():
    values = np.array([100.0, 101.0, 99.5, 100.5])
    expected = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    interval = field_statistics(values).interval
    assert (interval.low, interval.high) == pytest.approx(expected, rel=1e-3)
    nothing = field_statistics(np.zeros(3))
    assert nothing.interval == Interval(0.0, 0.0)
    assert nothing.relative_accuracy_percent == np.inf


def test_means_over_fields_of_few_lines_are_covered():
    rng = np.random.default_rng(5)
    lines = rng.poisson(4.0, (1000, 5))
    sets = np.vectorize(lambda n: rng.exponential(size=n).sum())(lines)
    hits = {"ours": 0, "student": 0}
    for values in sets:
        found = field_statistics(values)
        hits["ours"] += found.interval.low <= 4 <= found.interval.high
        half = found.relative_accuracy_percent / 100 * found.mean
        hits["student"] += abs(found.mean - 4) <= half
    assert 930 < hits["ours"] < 970
    assert hits["student"] < hits["ours"] - 10
