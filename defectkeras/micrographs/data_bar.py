"""The bar that an SEM writes below the image, with its scale and its settings."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.micrographs.sidecar import is_of_width, number_of

_MOST_OF_HEIGHT = 0.25
_SHARE_OF_GROUND = 0.3  # of a drawn bar one grey level; of a micrograph some percent


def data_bar_px(
    metadata: Mapping[str, Any],
    shape: tuple[int, ...],
    read_rows: Callable[[int, int], NDArray[Any]],
) -> int:
    """Give the height of the data bar, which a model may take for defects.

    FEI and JEOL tell the height of the image without it, TESCAN its own height; FEI
    tells both. A bar that nothing but its height tells must look drawn: the image may
    have been cropped since.

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
        bar = _whole(_section(metadata, "TESCAN").get("ImageStripSize"))
    if not 0 < bar <= height * _MOST_OF_HEIGHT:
        return 0
    return bar if _is_drawn(read_rows(height - bar, height)) else 0


def data_bar_notes(bar_px: int) -> tuple[str, ...]:
    """Say that the data bar is no part of the micrograph.

    Args:
        bar_px: Its height; 0 where there is none.
    """
    if bar_px == 0:
        return ()
    return (
        f"The lowest {bar_px} rows of the image are left out: a data bar, as its "
        "metadata tell.",
    )


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
