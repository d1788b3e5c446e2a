"""Edge rules: what becomes of objects that the frame cuts.

A big object touches the frame more often than a small one, so dropping the cut
ones biases counts and sizes. The Miles-Lantuejoul weight undoes it: an object
counts as many times as there are more places in the field than places where it
would have been whole.

References:
    ISO 13322-1:2014, Particle size analysis: image analysis methods, part 1.
    C. Lantuejoul, Computerized Microscopy and Morphology, 1980.
"""

from typing import Literal, get_args

import numpy as np
import pandas as pd

from defectkeras.core.arrays import Mask
from defectkeras.core.names import require_known
from defectkeras.quantification.runs import Floats, Integers

EdgeRule = Literal["miles_lantuejoul", "forbidden_lines", "drop", "all"]

MAX_EDGE_WEIGHT = 10.0
"""Larger weights are cut here: the object is nearly as large as the field."""

_MAX_PLACES = 1 << 16


def edge_rule_weights(objects: pd.DataFrame, rule: EdgeRule) -> Floats:
    """Give how often each object counts under an edge rule.

    Args:
        objects: Rows of `measure_objects`.
        rule: "miles_lantuejoul" drops what touches the border and weights the
            rest; "forbidden_lines" drops what has the border, or what nobody
            annotated, above it or at its left and counts the rest; "drop" drops
            what touches any border; "all" counts everything.

    Returns:
        (N,) float64, 0 for an object that is dropped.
    """
    require_known(rule, get_args(EdgeRule), what="edge rule")
    inside = ~objects["touches_border"].to_numpy(dtype=bool)
    weights = np.ones(len(objects))
    if rule == "miles_lantuejoul":
        weights = objects["edge_weight"].to_numpy(dtype=np.float64)
    elif rule == "forbidden_lines":
        weights = objects["forbidden_line_weight"].to_numpy(dtype=np.float64)
    elif rule == "drop":
        weights = inside.astype(np.float64)
    return weights


def whole_field(shape: tuple[int, ...]) -> Mask:
    """Give a field that is seen everywhere, which takes no memory.

    Args:
        shape: (H, W).

    Returns:
        (H, W) true, not to be written to.
    """
    return np.broadcast_to(np.True_, shape)


def is_whole(field: Mask) -> bool:
    """Tell whether a field (H, W) is one of `whole_field`, not looking at pixels."""
    return not any(field.strides)


def miles_lantuejoul_weights(
    heights: Integers, widths: Integers, field: Mask
) -> Floats:
    """Give field area over the places where the bounding box lies whole inside.

    For a full field w = W H / ((W - w_i - 1) (H - h_i - 1)) in whole pixels: an
    object is whole when its bounding box and one pixel around it are seen.

    Args:
        heights: (N,) rows of the bounding boxes.
        widths: (N,) columns of the bounding boxes.
        field: (H, W) true where the field is annotated.

    Returns:
        (N,) float64 weights from 1 to `MAX_EDGE_WEIGHT`.

    Example:
        >>> field = np.ones((150, 200), bool)
        >>> miles_lantuejoul_weights(np.array([9]), np.array([9]), field).round(4)
        array([1.1278])
    """
    area = field.size if is_whole(field) else int(np.count_nonzero(field))
    if area == field.size:
        rows, columns = field.shape
        places = np.maximum(rows - heights - 1, 0) * np.maximum(columns - widths - 1, 0)
        counts = places.astype(np.float64)
    else:
        counts = _count_places(heights, widths, field)
    ratio = np.divide(
        area, counts, out=np.full(len(heights), MAX_EDGE_WEIGHT), where=counts > 0
    )
    return np.asarray(np.minimum(ratio, MAX_EDGE_WEIGHT))


def forbidden_line_weight(field: Mask) -> float:
    """Give field area over the places where the first pixel of an object can be seen.

    A first pixel, and what lies above and at the left of it, must be in the field: for
    a full one w = W H / ((W - 1) (H - 1)).

    Args:
        field: (H, W) true where the field is annotated.

    Example:
        >>> forbidden_line_weight(np.ones((5, 11), bool))
        1.375
    """
    rows, columns = field.shape
    if is_whole(field):
        return float(field.size / max((rows - 1) * (columns - 1), 1))
    places = field[1:, 1:] & field[:-1, 1:] & field[1:, :-1] & field[:-1, :-1]
    return int(np.count_nonzero(field)) / max(int(np.count_nonzero(places)), 1)


def box_sums(
    values: Mask,
    tops: Integers,
    lefts: Integers,
    bottoms: Integers,
    rights: Integers,
) -> Integers:
    """Count true pixels in boxes that are cut at the border.

    Args:
        values: (H, W) flags.
        tops: (N,) first rows.
        lefts: (N,) first columns.
        bottoms: (N,) last rows, inclusive.
        rights: (N,) last columns, inclusive.

    Returns:
        (N,) counts.
    """
    if is_whole(values) or values.all():
        height = np.minimum(bottoms, values.shape[0] - 1) - np.maximum(tops, 0) + 1
        width = np.minimum(rights, values.shape[1] - 1) - np.maximum(lefts, 0) + 1
        return np.asarray(height * width)
    sums = _integral(values)
    rows, columns = values.shape
    r0, r1 = np.clip(tops, 0, rows), np.clip(bottoms + 1, 0, rows)
    c0, c1 = np.clip(lefts, 0, columns), np.clip(rights + 1, 0, columns)
    return sums[r1, c1] - sums[r0, c1] - sums[r1, c0] + sums[r0, c0]


def _integral(values: Mask) -> Integers:
    """Give the integral image (H + 1, W + 1)."""
    padded = np.zeros((values.shape[0] + 1, values.shape[1] + 1), dtype=np.int64)
    np.cumsum(values, axis=0, out=padded[1:, 1:])
    np.cumsum(padded, axis=1, out=padded)
    return padded


def _count_places(heights: Integers, widths: Integers, field: Mask) -> Floats:
    """Count where boxes with a one-pixel rim lie in the field.

    Tried on a grid of at most `_MAX_PLACES` places, for each box size once.
    """
    sums = _integral(field)
    step = max(1, int(np.ceil(np.sqrt(field.size / _MAX_PLACES))))
    sizes, index = np.unique(
        np.stack([heights, widths], axis=1), axis=0, return_inverse=True
    )
    counts = np.zeros(len(sizes))
    for i, (height, width) in enumerate(sizes + 2):
        first, last = sums[:-height:step], sums[height::step]
        boxes = (
            last[:, width::step]
            - last[:, :-width:step]
            - first[:, width::step]
            + first[:, :-width:step]
        )
        counts[i] = np.count_nonzero(boxes == height * width) * step**2
    return counts[index.reshape(-1)]
