"""Lines that regions cut into pieces: one line of chance, several on the map."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

from defectkeras.core.arrays import Mask
from defectkeras.quantification.runs import Integers, components

REACH_PX = 2.0
"""Beside its width, how far from a region a line may end that goes on behind it."""


@dataclass(frozen=True, eq=False)
class HiddenRows:
    """Some rows of a field, with rows around them.

    Attributes:
        hidden: (H, W) true where a line would be hidden.
        first_row: Row of the micrograph that is the first of the map.
        counted: (first, last + 1) rows of the micrograph whose line ends count; the
            map has `rows_around` more above and below, or the frame.
    """

    hidden: Mask
    first_row: int
    counted: tuple[int, int]


def rows_around(width_px: float) -> int:
    """Give how many rows beyond those that count must be known."""
    return math.ceil(width_px + REACH_PX) + 8


def join_behind_regions(
    segments: pd.DataFrame,
    count: int,
    bands: Iterable[HiddenRows],
    width_px: float,
) -> Integers:
    """Give lines that end at the same region the same number.

    Chance puts down whole lines. A void in front of one leaves two, and two that
    count as independent make an interval too narrow. Different lines that end at
    one region are joined as well, which makes it a little wide.

    Args:
        segments: Of `measure_segments`.
        count: Number of lines L.
        bands: The field from its first to its last row, in one piece or several.
        width_px: Mean width of the lines.

    Returns:
        (L,) numbers from 0.

    Example:
        >>> ends = pd.DataFrame({"line": [1, 2], "start_kind": "border",
        ...     "start_row_px": [20, 20], "start_column_px": [0, 59],
        ...     "stop_kind": "end", "stop_row_px": [20, 20],
        ...     "stop_column_px": [24, 35]})
        >>> hidden = np.zeros((40, 60), bool)
        >>> hidden[15:26, 26:34] = True
        >>> join_behind_regions(ends, 2, [HiddenRows(hidden, 0, (0, 40))], 4.0).tolist()
        [0, 0]
    """
    if count == 0:
        return np.arange(count)
    ends = _free_ends(segments)
    links, size = [np.zeros((2, 0), dtype=np.int64)], count
    before, before_row = np.zeros((0, 0), dtype=np.int64), 0
    for band in bands:
        if not band.hidden.any():
            before = before[:0]
            continue
        distance, region = cv2.distanceTransformWithLabels(
            (~band.hidden).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5
        )
        numbers = region.astype(np.int64) + size
        size = int(numbers.max()) + 1
        first, stop = band.counted
        line, row, column = ends[:, (ends[1] >= first) & (ends[1] < stop)]
        at = (row - band.first_row, column)
        touches = distance[at] <= width_px + REACH_PX
        links.append(np.stack([line[touches], numbers[at][touches]]))
        # What is seen from both bands is one region
        known = before[band.first_row - before_row :]
        shared = np.nonzero(band.hidden[: len(known)])
        links.append(np.stack([known[shared], numbers[shared]]))
        before, before_row = numbers, band.first_row
    first, second = np.concatenate(links, axis=1)
    group = components(first, second, size)
    return np.unique(group[:count], return_inverse=True)[1].astype(np.int64)


def _free_ends(segments: pd.DataFrame) -> Integers:
    """Give number of the line from 0, row and column of each free end, (3, E)."""
    found = []
    for side in ("start", "stop"):
        ends = segments[segments[f"{side}_kind"] == "end"]
        columns = ["line", f"{side}_row_px", f"{side}_column_px"]
        found.append(ends[columns].to_numpy(dtype=np.int64).T)
    ends_of_lines = np.concatenate(found, axis=1)
    ends_of_lines[0] -= 1
    return ends_of_lines
