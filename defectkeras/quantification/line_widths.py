"""How wide lines are: rays from the skeleton to both sides, up to the edge of the mask.

Rays at even distances sweep the area of a line, so that their mean is its area over
its length, right at every angle. Twice the distance of the skeleton to the edge is
not: the skeleton keeps to pixels and so lies off the middle, and the nearest pixel
beyond a slanted edge is nearer than the edge is on average.
"""

from collections.abc import Sequence

import numpy as np

from defectkeras.core.arrays import Mask
from defectkeras.quantification.runs import Floats, Integers
from defectkeras.quantification.skeletons import TracedLines

_RAYS = 4
"""From pixel to pixel of the skeleton, so that no row of pixels is left out."""

_REACH = 4
"""The direction of a line is that over so many pixels to both sides."""

_STEP_PX = 0.25
_CLEAR_PX = 2
"""Near a junction rays run into other lines: one width of the mask, and so much."""


def line_widths_px(traced: TracedLines, paths: Sequence[Integers]) -> Floats:
    """Give the width of the line at each pixel of a skeleton.

    Args:
        traced: Skeleton, half widths (H, W) and steps of a mask.
        paths: (N,) numbers of the pixels of each segment, in order; without
            those that crossing lines share, which have no width.

    Returns:
        (P,) px for each of `Steps.pixels`; NaN where lines meet. A single pixel has
        twice its distance to the edge, and a segment between two junctions close to
        each other the width half way.

    Example:
        >>> from defectkeras.quantification.skeletons import trace_lines
        >>> mask = np.zeros((40, 60), bool)
        >>> mask[18:22, 10:50] = True
        >>> traced = trace_lines(mask)
        >>> path = np.arange(len(traced.steps.pixels))
        >>> float(line_widths_px(traced, [path]).mean())
        4.0
    """
    pixels = traced.steps.pixels
    across = 2 * traced.half_widths_px[tuple(pixels.T)].astype(np.float64)
    is_single = traced.steps.degrees == 0
    if not paths:
        return np.where(is_single, across, np.nan)
    path, first, last, at = _even_places(paths)
    base = np.floor(at).astype(np.int64)
    step = pixels[path[base + 1]] - pixels[path[base]]
    ahead = (at - base)[:, np.newaxis] * step
    along = _between(pixels[path], np.minimum(at + _REACH, last))
    along -= _between(pixels[path], np.maximum(at - _REACH, first))
    is_around = ~along.any(axis=1)  # a ring of a few pixels
    along[is_around] = step[is_around]
    along /= np.linalg.norm(along, axis=1)[:, np.newaxis]
    margin = np.where(traced.steps.degrees >= 3, across + _CLEAR_PX, -np.inf)[path]
    clear = np.minimum(at - first - margin[first], last - at - margin[last])
    starts = np.unique(first, return_index=True)[1]
    best = np.maximum.reduceat(clear, starts)
    kept = clear >= np.minimum(best, 0)[np.searchsorted(first[starts], first)]
    base, ahead, along = base[kept], ahead[kept], along[kept]
    mask = traced.half_widths_px > 0
    normal = along[:, ::-1] * (-1, 1)
    widths = _ray_px(mask, pixels[path[base]], ahead, normal)
    widths += _ray_px(mask, pixels[path[base]], ahead, -normal)
    owner = path[np.floor(at[kept] + 0.5).astype(np.int64)]
    rays = np.bincount(owner, minlength=len(pixels))
    total = np.bincount(owner, widths, len(pixels))
    means = np.divide(total, rays, out=np.full(len(pixels), np.nan), where=rays > 0)
    return np.asarray(np.where(is_single, across, means))


def _even_places(
    paths: Sequence[Integers],
) -> tuple[Integers, Integers, Integers, Floats]:
    """Give the paths in a row, and evenly spread places between their pixels.

    Returns:
        (N,) pixels of all paths, and for each of R places the first and last
        index of its path in them, and its own, a fraction.
    """
    lengths = np.array([len(path) for path in paths])
    stops = np.cumsum(lengths)
    count = (lengths - 1) * _RAYS
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    first, last = (np.repeat(side, count) for side in (stops - lengths, stops - 1))
    return np.concatenate(paths), first, last, first + (number + 0.5) / _RAYS


def _between(values: Integers, at: Floats) -> Floats:
    """Give (R, 2) rows of a table at fractions of its index."""
    low = np.minimum(np.floor(at).astype(np.int64), len(values) - 2)
    part = (at - low)[:, np.newaxis]
    return np.asarray(values[low] * (1 - part) + values[low + 1] * part)


def _ray_px(mask: Mask, base: Integers, ahead: Floats, direction: Floats) -> Floats:
    """Give how far (R,) rays go until they leave the mask or the field.

    Args:
        mask: (H, W) flags.
        base: (R, 2) row and column of a pixel.
        ahead: (R, 2) from there to where the ray starts; apart from the pixel, so
            that rays do not depend on where in a micrograph the mask lies.
        direction: (R, 2) unit vectors.
    """
    seen = np.pad(mask, 1).reshape(-1)  # no ray gets beyond its rim
    row_px = mask.shape[1] + 2
    place = (base[:, 0] + 1) * row_px + base[:, 1] + 1
    down, right = ahead.T + 0.5
    by_row, by_column = direction.T * _STEP_PX
    reach = np.zeros(len(base))
    inside = np.arange(len(base))
    step = 0.5
    while len(inside):
        rows = np.floor(down[inside] + step * by_row[inside]).astype(np.int64)
        columns = np.floor(right[inside] + step * by_column[inside]).astype(np.int64)
        inside = inside[seen[place[inside] + rows * row_px + columns]]
        reach[inside] += _STEP_PX
        step += 1
    return reach
