"""The bar that an SEM writes below the image, with its scale and its settings."""

from collections.abc import Mapping
from typing import Any


def data_bar_px(metadata: Mapping[str, Any], height: int) -> int:
    """Give the height of the data bar, which a model may take for defects.

    FEI's tags tell it; the bar is there when the rows are those that were scanned and
    those of the bar.

    Args:
        metadata: What a file tells about the instrument.
        height: Of the image in the file, in px.

    Returns:
        Its lowest rows that are no micrograph; 0 where the file does not tell.

    Example:
        >>> tags = {"Image": {"ResolutionY": 6}, "PrivateFei": {"DatabarHeight": 2}}
        >>> data_bar_px(tags, 8), data_bar_px(tags, 6)
        (2, 0)
    """
    bar = _number(metadata, "PrivateFei", "DatabarHeight")
    scanned = _number(metadata, "Image", "ResolutionY")
    return bar if scanned > 0 < bar == height - scanned else 0


def data_bar_notes(bar_px: int) -> tuple[str, ...]:
    """Say that the data bar is no part of the micrograph.

    Args:
        bar_px: Its height; 0 where there is none.
    """
    if bar_px == 0:
        return ()
    return (
        f"The lowest {bar_px} rows of the file are left out: a data bar, as its tags "
        "tell.",
    )


def _number(metadata: Mapping[str, Any], section: str, name: str) -> int:
    """Give a whole number of the tags, or 0."""
    values = metadata.get(section)
    value = values.get(name) if isinstance(values, Mapping) else None
    return value if isinstance(value, int) else 0
