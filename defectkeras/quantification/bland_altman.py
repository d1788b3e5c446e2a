"""Bland-Altman: how far two annotators are apart, field by field."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from defectkeras.quantification.intervals import TAIL, Interval
from defectkeras.quantification.runs import Floats

LIMIT = 1.96
"""Limits of agreement lie so many standard deviations from the mean."""

_ROUNDING = 1e-9  # of the values; differences that vary by less are equal


@dataclass(frozen=True)
class BlandAltman:
    """The differences of two annotators over fields.

    Attributes:
        count: Number of fields n.
        bias: Mean of second minus first.
        bias_interval: Student's interval of the bias. None, as both others, where all
            differences are the same: they do not tell how far another may be off.
        standard_deviation: Sample standard deviation s of the differences.
        lower: Lower limit of agreement, bias - 1.96 s.
        lower_interval: Its exact interval.
        upper: Upper limit of agreement, bias + 1.96 s.
        upper_interval: Its exact interval.
    """

    count: int
    bias: float
    bias_interval: Interval | None
    standard_deviation: float
    lower: float
    lower_interval: Interval | None
    upper: float
    upper_interval: Interval | None


def bland_altman(first: Floats, second: Floats) -> BlandAltman | None:
    """Give bias and limits of agreement, with intervals.

    Ninety-five of a hundred differences of further fields are expected within the
    limits. The limits are percentiles mean -+ 1.96 s of a normal distribution, and
    their intervals are exact: mean + s t'/sqrt(n), with t' from the noncentral t
    distribution of n - 1 degrees of freedom and noncentrality 1.96 sqrt(n).

    Args:
        first: (N,) a value for each field.
        second: (N,) those of the other annotator, in the same order.

    Returns:
        The differences second - first; None for fewer than two fields.

    Raises:
        ValueError: When the numbers of fields differ.

    Example:
        >>> found = bland_altman(np.array([10.0, 12, 15]), np.array([11.0, 15, 17]))
        >>> found.bias, found.standard_deviation, round(found.upper, 2)
        (2.0, 1.0, 3.96)

    References:
        J. M. Bland, D. G. Altman, Lancet 327 (1986) 307,
        doi:10.1016/S0140-6736(86)90837-8. A. Carkeet, Optom. Vis. Sci. 92 (2015)
        e71, doi:10.1097/OPX.0000000000000513 (exact intervals).
    """
    if len(first) != len(second):
        raise ValueError(
            "`second` must have as many fields as `first`, "
            f"{len(first)}. Received: {len(second)}."
        )
    count = len(first)
    if count < 2:
        return None
    differences = second - first
    bias, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if np.ptp(differences) <= _ROUNDING * max(
        np.abs(first).max(), np.abs(second).max()
    ):
        return BlandAltman(count, bias, None, 0.0, bias, None, bias, None)
    scale = deviation / np.sqrt(count)
    half = float(stats.t.isf(TAIL, count - 1) * scale)
    shifts = stats.nct.ppf([TAIL, 1 - TAIL], count - 1, LIMIT * np.sqrt(count)) * scale
    near, far = (float(shift) for shift in shifts)
    return BlandAltman(
        count=count,
        bias=bias,
        bias_interval=Interval(bias - half, bias + half),
        standard_deviation=deviation,
        lower=bias - LIMIT * deviation,
        lower_interval=Interval(bias - far, bias - near),
        upper=bias + LIMIT * deviation,
        upper_interval=Interval(bias + near, bias + far),
    )
