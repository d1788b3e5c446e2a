"""The bar that an SEM writes below the image, with its scale and its settings."""

from collections.abc import Mapping
from typing import Any

from defectkeras.core.micrograph import Micrograph


def data_bar_notes(micrograph: Micrograph) -> tuple[str, ...]:
    """Say that a micrograph holds a data bar, which a reader may take for a defect.

    FEI's tags tell its height; the bar is there when the rows are those that were
    scanned and those of the bar.

    Args:
        micrograph: As read from a file.

    Example:
        >>> import numpy as np
        >>> from defectkeras.core.calibration import Calibration
        >>> tags = {"Image": {"ResolutionY": 6}, "PrivateFei": {"DatabarHeight": 2}}
        >>> sem = Micrograph(np.zeros((8, 9), np.float32), Calibration(), "a", tags)
        >>> data_bar_notes(sem)
        ('The lowest 2 rows are a data bar, as the tags of the file tell, and count \
as micrograph: crop them.',)
    """
    rows = _number(micrograph.metadata, "PrivateFei", "DatabarHeight")
    scanned = _number(micrograph.metadata, "Image", "ResolutionY")
    if not 0 < rows == micrograph.shape[0] - scanned:
        return ()
    return (
        f"The lowest {rows} rows are a data bar, as the tags of the file tell, and "
        "count as micrograph: crop them.",
    )


def _number(metadata: Mapping[str, Any], section: str, name: str) -> int:
    """Give a whole number of the tags, or 0."""
    values = metadata.get(section)
    value = values.get(name) if isinstance(values, Mapping) else None
    return value if isinstance(value, int) else 0
