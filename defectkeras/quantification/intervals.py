"""Intervals: how far a value can be from the truth by chance alone."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from defectkeras.quantification.runs import Floats

TAIL = 0.025
"""Part of chance beyond each end of an interval, alpha/2: all are of 95 %."""

_ROUNDING = 1e-9
"""Numbers that differ by less of their size are equal."""

_LENGTHS_KNOWN = 8
"""As how many lines the exponential law of their lengths counts."""


@dataclass(frozen=True)
class Interval:
    """The two ends of a confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class FieldStatistics:
    """The statistics of ASTM E562 over the fields of a specimen.

    Attributes:
        count: Number of fields n.
        mean: Mean.
        standard_deviation: Sample standard deviation s.
        interval: Of the mean, see `field_statistics`.
        relative_accuracy_percent: 100 t_(n-1) s / sqrt(n) / mean; E562 aims at 10.
    """

    count: int
    mean: float
    standard_deviation: float
    interval: Interval
    relative_accuracy_percent: float


def garwood_interval(count: float) -> Interval:
    """Give the exact interval of a Poisson count.

    Args:
        count: Number counted, 0 or more; a fraction is an effective count.

    Returns:
        chi2(alpha/2, 2 n)/2 to chi2(1 - alpha/2, 2 n + 2)/2.

    Example:
        >>> interval = garwood_interval(10)
        >>> round(interval.low, 4), round(interval.high, 4)
        (4.7954, 18.3904)

    References:
        F. Garwood, Biometrika 28 (1936) 437, doi:10.1093/biomet/28.3-4.437.
    """
    low = stats.gamma.ppf(TAIL, count) if count > 0 else 0.0
    return Interval(float(low), float(stats.gamma.isf(TAIL, count + 1)))


def weighted_count_interval(
    contributions: Floats, largest_when_none: float
) -> Interval:
    """Give the interval of a sum of weights over Poisson objects.

    The variance of such a sum is the sum of the squares, which the effective
    count m = (sum w)^2 / sum w^2 turns into Garwood's interval, scaled (after
    Fay and Feuer 1997). Equal weights give Garwood's interval itself.

    Args:
        contributions: (N,) what each object adds to the value.
        largest_when_none: What one object would add, for N = 0.

    Returns:
        The interval of the sum. Where weights differ much and are few, those seen
        do not tell the largest; `random_lengths_interval` is for these.

    Example:
        >>> interval = weighted_count_interval(np.full(10, 2.0), 2.0)
        >>> round(interval.low, 4), round(interval.high, 4)
        (9.5908, 36.7807)

    References:
        M. P. Fay, E. J. Feuer, Statistics in Medicine 16 (1997) 791,
        doi:10.1002/(SICI)1097-0258(19970415)16:7<791::AID-SIM500>3.0.CO;2-#.
    """
    total = float(contributions.sum())
    if total <= 0:
        return Interval(0.0, garwood_interval(0).high * largest_when_none)
    effective = total**2 / float((contributions**2).sum())
    unit = total / effective
    counted = garwood_interval(effective)
    return Interval(counted.low * unit, counted.high * unit)


def random_lengths_interval(lengths: Floats) -> Interval:
    """Give the interval of a sum of lengths, where number and lengths are chance.

    Number N is Poisson, with Jeffreys' interval: that of a gamma variable of the shape
    N + 1/2, which holds 95 % on average, where Garwood's holds 95 % at least. Lengths
    are gamma distributed with the shape k = (mean / standard deviation)^2, so their
    sum over the expected length is a gamma variable as well. The ratio of two gamma
    variables is an F variable:

        sum (N + 1/2) / N F_p(2 N + 1, 2 k N), p = alpha/2 and 1 - alpha/2

    With k without end this is Jeffreys' interval, scaled. But a few lengths seldom have
    the longest among them, and those that lack them look both too short and too equal.
    So where 1/k = v is below 1, that of exponential lengths, it is taken as if eight
    of these were known already: (N v + 8) / (N + 8).

    Args:
        lengths: (N,) above 0, N at least 1.

    Returns:
        The interval of the expected sum.

    Example:
        >>> interval = random_lengths_interval(np.array([40.0, 90.0, 170.0, 100.0]))
        >>> round(interval.low, 2), round(interval.high, 2)
        (114.8, 1627.35)

    References:
        L. D. Brown, T. T. Cai, A. DasGupta, Statistica Sinica 13 (2003) 19.
    """
    count, total = len(lengths), float(lengths.sum())
    seen = float(lengths.var() / lengths.mean() ** 2)
    known = _LENGTHS_KNOWN
    shape = 1 / max(seen, (count * seen + known) / (count + known))
    ratio = stats.f(2 * count + 1, 2 * shape * count)
    unit = total * (count + 0.5) / count
    return Interval(float(unit * ratio.ppf(TAIL)), float(unit * ratio.isf(TAIL)))


def spread_interval(values: Floats, weights: Floats) -> Interval | None:
    """Give the interval of a standard deviation.

    With the unbiased variance s^2 it is s sqrt(f / chi2_p(f)), p = 1 - alpha/2 and
    alpha/2, of f = n - 1 degrees of freedom for normal values. Where tails are longer,
    so that the kurtosis k is above 3, s^2 itself varies more, as that of fewer normal
    values: f = (n - 1) 2 / (k - 1). Of unequal weights the effective number counts.

    Args:
        values: (N,) such as logarithms of diameters.
        weights: (N,) above 0.

    Returns:
        The interval, or None where values do not differ, as a single one does not.

    Example:
        >>> interval = spread_interval(np.arange(1.0, 8.0), np.ones(7))
        >>> round(interval.low, 3), round(interval.high, 3)
        (1.392, 4.757)
    """
    shares = weights / weights.sum()
    squares = (values - shares @ values) ** 2
    variance = float(shares @ squares)
    if variance <= 1e-18:  # but for rounding
        return None
    kurtosis = float(shares @ squares**2) / variance**2
    effective = 1 / float(shares @ shares)
    freedom = effective * (1 - 1 / len(values)) * 2 / (max(kurtosis, 3.0) - 1)
    unbiased = variance / (1 - 1 / effective)
    law = stats.chi2(freedom)
    low, high = (freedom * unbiased / q for q in (law.isf(TAIL), law.ppf(TAIL)))
    return Interval(math.sqrt(low), math.sqrt(high))


def ratio_interval(
    amounts: Floats, sizes: Floats, *, at_least: float = 0.0
) -> Interval | None:
    """Give the interval of sum(amounts) / sum(sizes) over blocks or objects.

    The ratio estimator with Student's t over the n pairs:
    variance = n / (n - 1) * sum (a_i - r b_i)^2 / (sum b_i)^2.

    Args:
        amounts: (N,) what was found in each, such as a length in a block.
        sizes: (N,) in how much, such as the area of the block; pairs with
            0 are left out.
        at_least: What the ratio can never be below.

    Returns:
        The interval, or None with fewer than two pairs, or where the ratio is the
        same in all: then they do not tell how far another may be off.
    """
    used = sizes > 0
    count = int(np.count_nonzero(used))
    if count < 2:
        return None
    ratio = amounts[used].sum() / sizes[used].sum()
    squares = float(((amounts[used] - ratio * sizes[used]) ** 2).sum())
    error = math.sqrt(count / (count - 1) * squares) / float(sizes[used].sum())
    if error <= _ROUNDING * abs(ratio):
        return None
    half = float(stats.t.isf(TAIL, count - 1)) * error
    return Interval(max(ratio - half, at_least), ratio + half)


def field_statistics(values: Floats) -> FieldStatistics:
    """Give the statistics of ASTM E562 for one quantity over fields.

    E562 gives the interval m -+ e, e = t_(n-1) s / sqrt(n). But of what is there
    by chance the variance is in proportion to the mean: fields that happen to have
    few look too equal as well, and the truth lies above the interval too often. So
    all means M are taken of which the seen one is not too far, with the spread that
    would belong to them, |m - M| <= e sqrt(M / m):

        m exp(-2 asinh(e / 2 m)) to m exp(2 asinh(e / 2 m))

    For e << m this is E562's.

    Args:
        values: (N,) the quantity in each field, N at least 2.

    Returns:
        Count, mean, standard deviation, interval and relative accuracy.

    Raises:
        ValueError: When there are fewer than two fields.

    Example:
        >>> found = field_statistics(np.array([4.0, 6.0, 5.0, 5.0]))
        >>> found.mean, round(found.relative_accuracy_percent, 2)
        (5.0, 25.98)
        >>> round(found.interval.low, 3), round(found.interval.high, 3)
        (3.859, 6.479)
    """
    count = len(values)
    if count < 2:
        raise ValueError(f"`values` must be of two fields or more. Received: {count}.")
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
    if sd <= _ROUNDING * abs(mean):
        sd = 0.0
    half = float(stats.t.isf(TAIL, count - 1)) * sd / math.sqrt(count)
    if mean <= 0:
        return FieldStatistics(
            count, mean, sd, Interval(mean - half, mean + half), math.inf
        )
    factor = math.exp(2 * math.asinh(half / mean / 2))
    interval = Interval(mean / factor, mean * factor)
    return FieldStatistics(count, mean, sd, interval, 100 * half / mean)


def fields_needed(statistics: FieldStatistics, accuracy_percent: float = 10.0) -> int:
    """Give how many fields reach a relative accuracy (ASTM E562).

    Args:
        statistics: Of the fields so far.
        accuracy_percent: The relative accuracy that is wanted.

    Returns:
        Number of fields, n (accuracy now / accuracy wanted)^2, rounded up.

    Example:
        >>> fields_needed(field_statistics(np.array([4.0, 6.0, 5.0, 5.0])))
        28
    """
    ratio = statistics.relative_accuracy_percent / accuracy_percent
    return max(2, math.ceil(statistics.count * ratio**2))
