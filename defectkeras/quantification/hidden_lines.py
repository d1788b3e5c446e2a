"""Lines that regions cut into pieces: one line of chance, several on the map."""

import cv2
import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from defectkeras.core.arrays import Mask
from defectkeras.quantification.runs import Integers

REACH_PX = 2.0
"""Beside its width, how far from a region a line may end that goes on behind it."""


def join_behind_regions(
    segments: pd.DataFrame, count: int, hidden: Mask, width_px: float
) -> Integers:
    """Give lines that end at the same region the same number.

    Chance puts down whole lines. A void in front of one leaves two, and two that
    count as independent make an interval too narrow. Different lines that end at
    one region are joined as well, which makes it a little wide.

    Args:
        segments: Of `measure_segments`.
        count: Number of lines L.
        hidden: (H, W) true where a line would be hidden.
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
        >>> join_behind_regions(ends, 2, hidden, 4.0).tolist()
        [0, 0]
    """
    if count == 0 or not hidden.any():
        return np.arange(count)
    distance, region = cv2.distanceTransformWithLabels(
        (~hidden).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5
    )
    lines, regions = [], []
    for side in ("start", "stop"):
        ends = segments[segments[f"{side}_kind"] == "end"]
        at = tuple(ends[[f"{side}_row_px", f"{side}_column_px"]].to_numpy().T)
        touches = distance[at] <= width_px + REACH_PX
        lines.append(ends["line"].to_numpy()[touches] - 1)
        regions.append(region[at][touches])
    ends_of, behind = np.concatenate(lines), np.concatenate(regions) + count
    size = count + int(region.max()) + 1
    links = coo_array((np.ones(len(ends_of)), (ends_of, behind)), (size, size))
    _, group = connected_components(links, directed=False)
    return np.unique(group[:count], return_inverse=True)[1].astype(np.int64)
