"""Metadata of instruments as plain values that JSON can hold."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_MAX_ENTRIES = 64  # longer lists are arrays, not settings
_MAX_TEXT = 10_000
_MAX_DEPTH = 16


def plain(value: Any, depth: int = 0) -> Any:
    """Give a value as dicts, lists, texts, finite numbers, flags and None.

    Args:
        value: What a reader found, such as NumPy scalars and library classes.
        depth: How deep it lies; what lies too deep is left out.

    Returns:
        Plain values; arrays are only told by their length.

    Example:
        >>> plain({"kV": 200.0, "gain": float("nan"), "lut": range(1000)})
        {'kV': 200.0, 'gain': 'nan', 'lut': '1000 values'}
    """
    if depth > _MAX_DEPTH:
        return "..."
    if isinstance(value, Mapping):
        return {str(k): plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        is_short = len(value) <= _MAX_ENTRIES
        entries = [plain(v, depth + 1) for v in value if is_short]
        return entries if is_short else f"{len(value)} values"
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    """Give a number, flag or None as it is, all else as text."""
    if isinstance(value, np.generic | np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool | int):
        return value
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return text[:_MAX_TEXT]
