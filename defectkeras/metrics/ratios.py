"""Scores are ratios of counts; one over 0 is no number."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def divide(part: Any, whole: Any) -> Any:
    """Divide, NaN where the whole is 0.

    Example:
        >>> divide(np.array([1, 0, 3]), np.array([4, 0, 3]))
        array([0.25,  nan, 1.  ])
    """
    whole = np.asarray(whole, dtype=np.float64)
    blank = np.full(whole.shape, np.nan)
    return np.divide(part, whole, out=blank, where=whole > 0)


def mean_of_numbers(scores: NDArray[np.float64]) -> float:
    """Average the scores (N, ) that are numbers; NaN when none is."""
    numbers = scores[~np.isnan(scores)]
    return float(numbers.mean()) if numbers.size else float("nan")


def number_or_none(score: float) -> float | None:
    """Give a score for JSON, which has no NaN."""
    return float(score) if np.isfinite(score) else None
