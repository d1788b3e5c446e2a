"""Paired tests: whether two annotators differ by more than chance, over fields."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from defectkeras.quantification.runs import Floats

_ROUNDING = 1e-9  # of the values: differences that vary by less do not vary

LEAST_FIELDS = 6
"""With five fields the signed-rank test cannot give p < 0.05: 2 / 2^5 = 0.0625."""


@dataclass(frozen=True)
class PairedTests:
    """Two tests of the same differences.

    Attributes:
        count: Number of fields.
        t_p: Two-sided p of Student's paired t, or None.
        wilcoxon_p: Two-sided p of the signed ranks, or None; exact, but of more than 13
            fields with equal differences that of a normal distribution.
        reason: Why there is none.
    """

    count: int
    t_p: float | None = None
    wilcoxon_p: float | None = None
    reason: str | None = None


def paired_tests(first: Floats, second: Floats) -> PairedTests:
    """Test whether the differences of two annotators have a mean or median of 0.

    The fields must be independent: frames of one film are one field.

    Args:
        first: (N,) a value for each field.
        second: (N,) those of the other annotator, in the same order.

    Returns:
        Both p, or the reason why the fields are too few or the same.

    Example:
        >>> paired_tests(np.arange(4.0), np.ones(4)).reason
        'too few fields: 4, at least 6 are needed for p < 0.05'
        >>> paired_tests(np.zeros(6), np.array([1.0, 2, 3, 5, 8, 13])).wilcoxon_p
        0.03125

    References:
        F. Wilcoxon, Biom. Bull. 1 (1945) 80, doi:10.2307/3001968.
    """
    differences = second - first
    count = len(differences)
    if count < LEAST_FIELDS:
        reason = f"too few fields: {count}, at least {LEAST_FIELDS} are needed for "
        return PairedTests(count, reason=f"{reason}p < 0.05")
    if np.ptp(differences) <= _ROUNDING * np.abs([first, second]).max():
        same = "no difference in any field" if not differences.any() else "all equal"
        return PairedTests(count, reason=f"the differences do not vary: {same}")
    return PairedTests(
        count,
        t_p=float(stats.ttest_rel(second, first).pvalue),
        wilcoxon_p=float(stats.wilcoxon(differences, method="auto").pvalue),
    )


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Adjust p for the number of tests, so that one false alarm in all is rare.

    Args:
        p_values: Of all tests that are looked at together.

    Returns:
        In the same order, the largest of (m - j) p_(j) so far, at most 1.

    Example:
        >>> [round(p, 3) for p in holm_adjusted([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]

    References:
        S. Holm, Scand. J. Statist. 6 (1979) 65.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1.0)
    return [float(value) for value in adjusted]
