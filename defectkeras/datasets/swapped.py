"""Micrographs and annotations that stand in each other's place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.datasets.sources import Pair
from defectkeras.datasets.spec import Example
from defectkeras.micrographs.checks import to_grey
from defectkeras.micrographs.read import read_frame

SWAPPED = (
    "micrograph and annotation look swapped: the micrograph has areas of one value, "
    "as a mask, and the annotation has grey levels that change from pixel to pixel. "
    "Exchange the two, such as by renaming their folders."
)
"""What is told of a pair."""

_MOST_CHANGES = 0.1
"""Of all steps along the rows. Masks change at 3 % or less, micrographs at 30 % or
more: the sets of data_specs/."""

_PAIRS_LOOKED_AT = 3


def looks_drawn(pixels: NDArray[Any]) -> bool:
    """Say whether a picture has areas of one value, as masks and label maps do.

    Args:
        pixels: (H, W) or (H, W, C).

    Example:
        >>> stripes = np.repeat(np.arange(3), 20)[None]
        >>> looks_drawn(stripes), looks_drawn(np.arange(60)[None])
        (True, False)
    """
    changes = pixels[:, 1:] != pixels[:, :-1]
    if changes.ndim == 3:
        changes = changes.any(axis=2)
    return bool(np.count_nonzero(changes) <= _MOST_CHANGES * changes.size)


def look_swapped(micrograph_path: Path, annotation_path: Path) -> bool:
    """Say whether the micrograph is a mask, and the annotation a micrograph.

    Args:
        micrograph_path: What is taken for the micrograph.
        annotation_path: What is taken for its annotation; shapes, colors and files
            that cannot be read are no micrographs.
    """
    try:
        return looks_drawn(read_frame(micrograph_path).pixels) and not looks_drawn(
            to_grey(read_frame(annotation_path))
        )
    except MicrographError:  # told where it is read
        return False


def require_not_swapped(pairs: Sequence[Pair | Example]) -> None:
    """Check the first pairs of a set.

    Raises:
        DatasetError: When all of them look swapped.
    """
    first = pairs[:_PAIRS_LOOKED_AT]
    if first and all(look_swapped(p.micrograph_path, p.annotation_path) for p in first):
        raise DatasetError(f"{first[0].annotation_path}: {SWAPPED}")
