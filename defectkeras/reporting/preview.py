"""A micrograph that does not fit into memory, scaled down for showing it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, Image, ReadRows
from defectkeras.reporting.layers import LEAST_COVER

MAX_SIDE_PX = 2000
"""Longest side of a preview."""

_BAND_PX = 1 << 22


@dataclass(frozen=True, eq=False)
class Preview:
    """A small copy of a micrograph and of its class map.

    Attributes:
        image: (h, w) in [0, 1].
        class_map: (h, w), for the eye only: areas are not kept.
        factor: Pixels of the micrograph in a row of one pixel of it.
    """

    image: Image
    class_map: ClassMap
    factor: int


def make_preview(
    shape: tuple[int, int],
    read_image: ReadRows,
    read_classes: ReadRows,
    *,
    max_side_px: int = MAX_SIDE_PX,
) -> Preview:
    """Scale a micrograph and its class map down while they are read.

    Args:
        shape: (H, W) of both.
        read_image: First row and the row after the last to (n, W) in [0, 1].
        read_classes: Likewise to class indices.
        max_side_px: Longest side of the preview.

    Returns:
        Means of squares of pixels, and the classes that cover `LEAST_COVER` or more
        of them, as `shrink_class_map` has them.
    """
    factor = math.ceil(max(shape) / max_side_px)
    rows_at_once = max(_BAND_PX // shape[1] // factor, 1) * factor
    images, class_maps = [], []
    for first in range(0, shape[0], rows_at_once):
        stop = min(first + rows_at_once, shape[0])
        images.append(_means(read_image(first, stop), factor))
        class_maps.append(_classes(read_classes(first, stop), factor))
    return Preview(np.concatenate(images), np.concatenate(class_maps), factor)


def _means(values: NDArray[Any], factor: int) -> Image:
    """Give the means over squares, the last ones cut at the sides."""
    sums = values.astype(np.float32)
    for axis, length in enumerate(values.shape):
        starts = np.arange(0, length, factor)
        counts = np.diff(np.append(starts, length)).astype(np.float32)
        sums = np.add.reduceat(sums, starts, axis=axis)
        sums /= counts[:, np.newaxis] if axis == 0 else counts
    return np.asarray(sums, dtype=np.float32)


def _classes(classes: NDArray[Any], factor: int) -> ClassMap:
    """Give the classes that cover most of each square, thin ones too."""
    shape = tuple(-(-length // factor) for length in classes.shape)
    shrunk = np.zeros(shape, dtype=np.int32)
    best = np.full(shape, LEAST_COVER, dtype=np.float32)
    for index in np.unique(classes[classes != 0]):
        cover = _means(classes == index, factor)
        wins = cover >= best
        shrunk[wins] = index
        best[wins] = cover[wins]
    return shrunk
