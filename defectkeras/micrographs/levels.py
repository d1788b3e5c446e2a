"""Percentiles of the grey levels of a micrograph that is read some rows at a time.

Two readings count the grey levels: the first by the upper half of their 32 bits, the
second, among the ones that matter, by the lower half. So they are exact, whatever
the type of the file.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import Image

_HALF = 1 << 16
_SIGN = np.uint32(1 << 31)


def find_percentiles(
    read: Callable[[], Iterable[Image]], percents: Sequence[float]
) -> list[float]:
    """Give percentiles as `numpy.percentile` gives them of the whole.

    Args:
        read: Gives all rows of a micrograph (H, W), some at a time, float32; called
            twice.
        percents: From 0 to 100.

    Returns:
        One grey level for each.

    Example:
        >>> rows = np.arange(12, dtype=np.float32).reshape(3, 4)
        >>> find_percentiles(lambda: iter(rows[:, None]), [50, 100])
        [5.5, 11.0]
    """
    upper = np.zeros(_HALF, dtype=np.int64)
    for rows in read():
        upper += np.bincount(_keys(rows) >> 16, minlength=_HALF)
    count = int(upper.sum())
    places = [(count - 1) * (percent / 100) for percent in percents]
    ranks = sorted({r for p in places for r in (int(p), min(int(p) + 1, count - 1))})
    ends = np.cumsum(upper)
    halves = np.searchsorted(ends, ranks, side="right")
    lower = {half: np.zeros(_HALF, dtype=np.int64) for half in halves.tolist()}
    for rows in read():
        keys = _keys(rows)
        top = keys >> 16
        for half, counts in lower.items():
            counts += np.bincount(keys[top == half] & (_HALF - 1), minlength=_HALF)
    levels = {}
    for rank, half in zip(ranks, halves.tolist(), strict=True):
        before = int(ends[half] - upper[half])
        low = int(np.searchsorted(np.cumsum(lower[half]), rank - before, side="right"))
        levels[rank] = _level(half * _HALF + low)
    return [_between(levels, place, count) for place in places]


def _keys(rows: Image) -> NDArray[np.uint32]:
    """Give whole numbers in the order of the grey levels, (P,)."""
    bits = np.ascontiguousarray(rows, dtype=np.float32).reshape(-1).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _level(key: int) -> Any:
    """Give the grey level of a key."""
    bits = np.uint32(key)
    return np.asarray(bits ^ _SIGN if bits & _SIGN else ~bits).view(np.float32)[()]


def _between(levels: dict[int, Any], place: float, count: int) -> float:
    """Interpolate between two ranks, as NumPy does."""
    rank = int(place)
    low, high = levels[rank], levels[min(rank + 1, count - 1)]
    share = np.float64(place - rank)  # times float32 gives float64
    if share < 0.5:
        return float(low + (high - low) * share)
    return float(high - (high - low) * (1 - share))
