"""Objects that touch, told apart where the patch that they share has a neck.

Each pixel of a patch gets a height: its distance to the rim, or its probability.
Each summit stands for a part, and the watershed of the heights parts them. Two
parts stay one when the pass between them is nearly as high as the lower summit,
so the rule knows no size: at 0.75 a patch is cut where its neck is narrower than
three quarters of the smaller part's width.

References:
    F. Meyer, S. Beucher, Morphological segmentation, J. Vis. Commun. Image
    Represent. 1 (1990) 21, doi:10.1016/1047-3203(90)90014-M.
"""

from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import local_maxima
from skimage.segmentation import watershed

from defectkeras.core.arrays import Image, LabelMap, Mask
from defectkeras.core.names import require_known
from defectkeras.quantification.hulls import convex_hulls
from defectkeras.quantification.runs import Floats, Integers, find_runs

SplitMethod = Literal["none", "distance", "probability"]

NECK = 0.75
"""A pass lower than this part of the lower summit parts two objects."""

_CONVEX = 0.97  # patches more solid than this have no neck
_SMALLEST_PX = 12  # patches of fewer pixels have none that could be seen
_BLUR_PX = 1.0


def split_objects(
    label_map: LabelMap,
    method: SplitMethod = "distance",
    *,
    probability: Image | None = None,
    neck: float = NECK,
) -> LabelMap:
    """Split the objects of a label map at their necks.

    Args:
        label_map: (H, W) int, object numbers from 1, 0 where no object is.
        method: "distance" takes the distance to the rim for the height,
            "probability" the probability; "none" splits nothing.
        probability: (H, W) of the objects' class, for "probability".
        neck: Part of the lower summit, above 0 and below 1.

    Returns:
        (H, W) int32 object numbers from 1.

    Raises:
        ValueError: When there is no probability for "probability", or `neck` is
            out of range.

    Example:
        >>> rows, columns = np.ogrid[:30, :60]
        >>> pair = (rows - 14)**2 + (abs(columns - 29) - 9)**2 < 100
        >>> int(split_objects(pair.astype(np.int32)).max())
        2
    """
    require_known(method, get_args(SplitMethod), what="split method")
    if not 0 < neck < 1:
        raise ValueError(f"`neck` must be between 0 and 1. Received: {neck}.")
    if method == "probability" and probability is None:
        raise ValueError("`probability` must be given to split by it.")
    split = np.array(label_map, dtype=np.int32)
    following = int(split.max(initial=0)) + 1
    for label, window in _patches_with_necks(label_map, method):
        inside = label_map[window] == label
        if method == "distance" or probability is None:
            heights = _distances(inside)
        else:
            heights = probability[window]
        parts = _part(inside, heights, neck)
        for part in range(2, int(parts.max()) + 1):
            split[window][parts == part] = following
            following += 1
    return split


def _patches_with_necks(
    label_map: LabelMap, method: SplitMethod
) -> list[tuple[int, tuple[slice, slice]]]:
    """Give label and window of the objects that may be several."""
    runs = find_runs(label_map)
    if method == "none" or len(runs.labels) == 0:
        return []
    area = runs.areas
    # A neck of the probability needs none of the outline.
    solidity = area / convex_hulls(runs).areas_px
    chosen = (area >= _SMALLEST_PX) & ((solidity < _CONVEX) | (method != "distance"))
    top, left, bottom, right = runs.boxes
    return [
        (
            int(runs.labels[i]),
            (slice(top[i], bottom[i] + 1), slice(left[i], right[i] + 1)),
        )
        for i in np.flatnonzero(chosen)
    ]


def _distances(inside: Mask) -> NDArray[np.float32]:
    """Give each pixel's distance to the outside of its patch."""
    padded = np.pad(inside, 1).astype(np.uint8)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance[1:-1, 1:-1], dtype=np.float32)


def _part(inside: Mask, heights: Image, neck: float) -> LabelMap:
    """Number the parts of one patch (H, W) from 1."""
    inner = np.where(inside, heights, 0).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(inner, (0, 0), _BLUR_PX), dtype=np.float32)
    _, summits = cv2.connectedComponents(
        (local_maxima(smooth) & inside).astype(np.uint8), connectivity=8
    )
    if summits.max() < 2:
        return inside.astype(np.int32)
    basins = watershed(-smooth, summits, mask=inside)
    tops = np.zeros(int(basins.max()) + 1)
    np.maximum.at(tops, basins[inside], smooth[inside])
    joined = _join(tops, *_passes(basins, smooth), neck)
    _, numbers = np.unique(joined[basins[inside]], return_inverse=True)
    parts = np.zeros(inside.shape, dtype=np.int32)
    parts[inside] = numbers + 1
    return parts


def _passes(basins: LabelMap, heights: Image) -> tuple[Integers, Floats]:
    """Give pairs of neighboring basins (P, 2) and the height at which they meet."""
    pairs, levels = [], []
    for one, other in (
        (np.s_[1:], np.s_[:-1]),
        (np.s_[:, 1:], np.s_[:, :-1]),
        (np.s_[1:, 1:], np.s_[:-1, :-1]),
        (np.s_[1:, :-1], np.s_[:-1, 1:]),
    ):
        meets = (basins[one] != basins[other]) & (basins[one] > 0) & (basins[other] > 0)
        pairs.append(np.stack([basins[one][meets], basins[other][meets]], axis=1))
        levels.append(np.minimum(heights[one][meets], heights[other][meets]))
    return np.concatenate(pairs).astype(np.int64), np.concatenate(levels)


def _join(tops: Floats, pairs: Integers, levels: Floats, neck: float) -> Integers:
    """Give each basin the number of its part, joining over the highest pass first."""
    part = np.arange(len(tops))
    top = tops.copy()
    for i in np.argsort(-levels, kind="stable"):
        a, b = part[pairs[i, 0]], part[pairs[i, 1]]
        if a != b and levels[i] >= neck * min(top[a], top[b]):
            part[part == b] = a
            top[a] = max(top[a], top[b])
    return part
