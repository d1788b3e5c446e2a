"""The bar that an SEM writes below the image, with its scale and its settings."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.micrographs.sidecar import is_of_width, number_of

_LEAST_OF_HEIGHT, _MOST_OF_HEIGHT = 0.02, 0.25
_LETTER_ROWS = 5
_SHARE_OF_GROUND = 0.3  # of a drawn bar one grey level; of a micrograph some percent
_SHARE_IN_MICROGRAPH = 0.1


def data_bar_px(
    metadata: Mapping[str, Any],
    shape: tuple[int, ...],
    read_rows: Callable[[int, int], NDArray[Any]],
) -> int:
    """Give the height of the data bar, which a model may take for defects.

    FEI and JEOL tell the height of the image without it, TESCAN and Phenom its own
    height; FEI tells both. A bar that nothing but its height tells must look drawn: the
    image may have been cropped since.

    Args:
        metadata: What a file, or the text beside it, tells about the instrument.
        shape: (H, W, ...) of the image in the file.
        read_rows: First row and the row after the last to these rows, (h, W, ...).

    Returns:
        Its lowest rows that are no micrograph; 0 where the file does not tell.

    Example:
        >>> tags = {"Image": {"ResolutionY": 6}, "PrivateFei": {"DatabarHeight": 2}}
        >>> data_bar_px(tags, (8, 9), lambda first, stop: np.zeros((stop - first, 9)))
        2
    """
    height = shape[0]
    bar = _entry(metadata, "PrivateFei", "DatabarHeight")
    scanned = _entry(metadata, "Image", "ResolutionY")
    if bar > 0 and scanned > 0 and bar + scanned == height:
        return bar
    size = str(_section(metadata, "JEOL").get("CM_FULL_SIZE"))
    if is_of_width(size, shape):
        bar = height - _whole(size.split()[-1])
    else:
        bar = _whole(
            _section(metadata, "TESCAN").get("ImageStripSize")
            or _section(metadata, "Phenom").get("databarHeight")
        )
    if not 0 < bar <= height * _MOST_OF_HEIGHT:
        return 0
    return bar if _is_drawn(read_rows(height - bar, height)) else 0


def data_bar_notes(bar_px: int, pixels: NDArray[Any] | None = None) -> tuple[str, ...]:
    """Say that the data bar is no part of the micrograph, or may be a part of it.

    Args:
        bar_px: Its height; 0 where nothing tells of one.
        pixels: (H, W) without it; None does not look for one of which nothing tells.
    """
    if bar_px > 0:
        return (
            f"The lowest {bar_px} rows of the image are left out: a data bar, as its "
            "metadata tell.",
        )
    seen_px = 0 if pixels is None else _suspected_px(pixels)
    if seen_px == 0:
        return ()
    return (
        f"The lowest {seen_px} rows look like a data bar of which nothing tells, and "
        "are measured, too: crop it, and analyze again.",
    )


def _suspected_px(pixels: NDArray[Any]) -> int:
    """Give how many of the lowest rows look drawn, below rows that do not at all.

    Rows of letters, of which few in a row look less so, belong to them.
    """
    height = len(pixels)
    least = math.ceil(_LEAST_OF_HEIGHT * height)
    values, counts = np.unique(pixels[-least:], return_counts=True)
    shares = np.mean(pixels == values[counts.argmax()], axis=1)[::-1]  # from below
    drawn = np.flatnonzero(shares > _SHARE_OF_GROUND)
    far = np.flatnonzero(np.diff(drawn, prepend=-1) > _LETTER_ROWS)
    drawn = drawn[: far[0]] if len(far) else drawn
    bar_px = int(drawn[-1]) + 1 if len(drawn) else 0
    if not least <= bar_px <= _MOST_OF_HEIGHT * height:
        return 0
    above = shares[bar_px : bar_px + least]
    return bar_px if above.max() < _SHARE_IN_MICROGRAPH else 0


def _is_drawn(rows: NDArray[Any]) -> bool:
    _, counts = np.unique(rows, return_counts=True)
    return bool(counts.max() > _SHARE_OF_GROUND * rows.size)


def _section(metadata: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    values = metadata.get(name)
    return values if isinstance(values, Mapping) else {}


def _entry(metadata: Mapping[str, Any], section: str, name: str) -> int:
    """Give a whole number of FEI's tags, or 0."""
    value = _section(metadata, section).get(name)
    return value if isinstance(value, int) else 0


def _whole(text: Any) -> int:
    return int(number_of(text))
