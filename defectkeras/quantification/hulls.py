"""Convex hulls of all objects of a label map at once.

The hull is that of the pixels' edge midpoints, in half pixels, so that all its
corners are whole numbers. Each object has two chains of candidates, the leftmost
and the rightmost midpoint of each half row; points that do not lie strictly
beyond the line between their neighbors go, for all objects together, until none
does.
"""

from dataclasses import dataclass

import numpy as np

from defectkeras.quantification.runs import Flags, Integers, Runs

_TINY = 1e-7  # pixels this near to the rim of a hull lie on it


@dataclass(frozen=True)
class Hulls:
    """The convex hulls of N objects, their corners one after the other.

    Attributes:
        index: (M,) number of the object each corner belongs to, ascending.
        x: (M,) column in half pixels; around each object in one direction.
        y: (M,) row in half pixels.
        starts: (N,) where the corners of each object start.
        areas_px: (N,) pixels whose centers lie in the hull or on its rim.
    """

    index: Integers
    x: Integers
    y: Integers
    starts: Integers
    areas_px: Integers


@dataclass(frozen=True)
class _Chain:
    """One side of each hull: points by object, then by row."""

    index: Integers
    x: Integers
    y: Integers

    def only(self, kept: Flags) -> "_Chain":
        return _Chain(self.index[kept], self.x[kept], self.y[kept])


def convex_hulls(runs: Runs) -> Hulls:
    """Find the convex hull of each object.

    Args:
        runs: The runs of a label map with N objects.

    Returns:
        Corners and areas.

    Example:
        >>> from defectkeras.quantification.runs import find_runs
        >>> hulls = convex_hulls(find_runs(np.array([[1, 1, 1], [0, 1, 0]], np.int32)))
        >>> list(zip(hulls.x.tolist(), hulls.y.tolist())), hulls.areas_px.tolist()
        ([(0, -1), (-1, 0), (2, 3), (5, 0), (4, -1)], [4])
    """
    is_first = np.ones(len(runs.row), dtype=bool)
    is_first[1:] = (np.diff(runs.row) != 0) | (np.diff(runs.index) != 0)
    starts = np.flatnonzero(is_first)
    if len(starts) == 0:
        none = np.zeros(0, dtype=np.int64)
        return Hulls(none, none, none, none, none)
    index, row = runs.index[starts], runs.row[starts]
    left = _reduce(_chain(index, row, np.minimum.reduceat(runs.first, starts), -1), -1)
    right = _reduce(_chain(index, row, np.maximum.reduceat(runs.last, starts), 1), 1)
    areas_px = _areas(left, right)
    joined = [
        np.concatenate([a, b[::-1]])
        for a, b in ((left.index, right.index), (left.x, right.x), (left.y, right.y))
    ]
    order = np.argsort(joined[0], kind="stable")
    index, x, y = (values[order] for values in joined)
    # Both chains can share their end points; one of each stays.
    following = next_corners(np.searchsorted(index, np.arange(len(areas_px))), len(x))
    kept = (x != x[following]) | (y != y[following])
    index, x, y = index[kept], x[kept], y[kept]
    return Hulls(
        index, x, y, np.searchsorted(index, np.arange(len(areas_px))), areas_px
    )


def next_corners(starts: Integers, count: int) -> Integers:
    """Give the number of the corner after each, back to the first of its object.

    Args:
        starts: (N,) where the corners of each object start.
        count: Number of all corners M.

    Returns:
        (M,) numbers.
    """
    following = np.arange(1, count + 1)
    following[np.append(starts[1:], count) - 1] = starts
    return following


def _chain(index: Integers, row: Integers, outermost: Integers, side: int) -> _Chain:
    """Give the edge midpoints of one side (-1 left, 1 right), one per half row."""
    x = np.stack([2 * outermost, 2 * outermost + side, 2 * outermost], axis=1).ravel()
    y = (2 * row[:, None] + np.array([-1, 0, 1])).ravel()
    index = np.repeat(index, 3)
    # The lower midpoints of a row and the upper ones of the next share a half row.
    is_first = np.ones(len(x), dtype=bool)
    is_first[1:] = (np.diff(y) != 0) | (np.diff(index) != 0)
    starts = np.flatnonzero(is_first)
    extreme = np.minimum if side < 0 else np.maximum
    return _Chain(index[starts], extreme.reduceat(x, starts), y[starts])


def _reduce(chain: _Chain, side: int) -> _Chain:
    """Drop the points that are no corners of the hull."""
    while True:
        index, x, y = chain.index, chain.x, chain.y
        kept = np.ones(len(x), dtype=bool)
        inner = index[2:] == index[:-2]
        beyond = (x[1:-1] - x[:-2]) * (y[2:] - y[:-2]) - (x[2:] - x[:-2]) * (
            y[1:-1] - y[:-2]
        )
        kept[1:-1] = ~inner | (side * beyond > 0)
        if kept.all():
            return chain
        chain = chain.only(kept)


def _areas(left: _Chain, right: _Chain) -> Integers:
    """Count the pixels between both chains."""
    count = int(left.index[-1]) + 1
    bounds = np.searchsorted(left.index, np.arange(count + 1))
    top, bottom = left.y[bounds[:-1]] + 1, left.y[bounds[1:] - 1] - 1
    heights = (bottom - top) // 2 + 1
    index = np.repeat(np.arange(count), heights)
    number = np.arange(len(index)) - np.repeat(np.cumsum(heights) - heights, heights)
    # All on one axis, the objects kept apart, with numbers as small as can be.
    stride = int((bottom - top).max()) + 8
    at = index * stride + 2 * number
    ends = [
        np.interp(at, c.index * stride + c.y - top[c.index], c.x) / 2
        for c in (left, right)
    ]
    widths = np.floor(ends[1] + _TINY) - np.ceil(ends[0] - _TINY) + 1
    return np.bincount(index, weights=widths, minlength=count).astype(np.int64)
