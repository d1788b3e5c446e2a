"""Pixels to rings around them and back, exactly.

A traced ring runs along the edges of pixels. A filled ring takes the pixels whose
center lies inside, so tracing and filling undo each other, and two outlines that
share an edge share no pixel and leave none out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import Mask
from defectkeras.micrographs.annotations.shapes import Points

# Steps along edges with the object on the right, (row, column).
_RIGHT, _DOWN, _LEFT, _UP = (0, 1), (1, 0), (0, -1), (-1, 0)
_LEFT_TURN = {_RIGHT: _UP, _UP: _LEFT, _LEFT: _DOWN, _DOWN: _RIGHT}

Corner = tuple[int, int]


def trace_rings(mask: Mask) -> tuple[Points, ...]:
    """Give the rings around the pixels of a mask, and around its holes.

    Pixels that touch at a corner lie in one ring.

    Args:
        mask: (H, W) true inside.

    Returns:
        Rings (N, 2) of corners of pixels, without those on straight edges.

    Example:
        >>> trace_rings(np.array([[0, 1, 1], [0, 1, 1]], bool))[0].tolist()
        [[0.0, 1.0], [0.0, 3.0], [2.0, 3.0], [2.0, 1.0]]
    """
    ahead = _edges(mask)
    rings = []
    while ahead:
        start = next(iter(ahead))
        rings.append(np.array(_follow(ahead, start), dtype=np.float64))
    return tuple(rings)


def fill_rings(rings: Sequence[Points], size: tuple[int, int]) -> Mask:
    """Give the pixels whose center lies within an odd number of rings.

    Args:
        rings: Each (N, 2); parts outside of the field are cut off.
        size: (H, W) of the field.

    Returns:
        (H, W) true inside.

    Example:
        >>> fill_rings([np.array([[0, 1], [0, 3], [2, 3], [2, 1.0]])], (3, 4)).sum()
        np.int64(4)
    """
    height, width = size
    crossings = np.zeros((height, width + 1), dtype=np.int64)
    for ring in rings:
        rows, columns = _cross_rows(ring, height)
        first = np.clip(np.ceil(columns - 0.5), 0, width).astype(np.int64)
        np.add.at(crossings, (rows, first), 1)
    return np.asarray(np.cumsum(crossings, axis=1)[:, :width] % 2 == 1)


def _cross_rows(
    ring: Points, height: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give where a ring crosses the middle of each row: rows and columns."""
    ends = np.stack([ring, np.roll(ring, -1, axis=0)])
    order = np.argsort(ends[:, :, 0], axis=0)
    upper, lower = np.take_along_axis(ends, order[:, :, None], axis=0)
    first = np.clip(np.ceil(upper[:, 0] - 0.5), 0, height).astype(np.int64)
    stop = np.clip(np.ceil(lower[:, 0] - 0.5), 0, height).astype(np.int64)
    counts = np.maximum(stop - first, 0)
    edge = np.repeat(np.arange(len(ring)), counts)
    within = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = first[edge] + within
    drop = (lower - upper)[edge]
    share = (rows + 0.5 - upper[edge, 0]) / drop[:, 0]
    return rows, upper[edge, 1] + share * drop[:, 1]


def _edges(mask: Mask) -> dict[Corner, list[Corner]]:
    """Give the steps that leave each corner, with the object on their right."""
    padded = np.pad(mask.astype(np.int8), 1)
    down = np.diff(padded, axis=0)[:, 1:-1]  # 1: an object begins below this edge
    across = np.diff(padded, axis=1)[1:-1]  # 1: an object begins right of it
    ahead: dict[Corner, list[Corner]] = {}
    for where, shift, step in (
        (down == 1, (0, 0), _RIGHT),
        (across == -1, (0, 0), _DOWN),
        (down == -1, (0, 1), _LEFT),
        (across == 1, (1, 0), _UP),
    ):
        for row, column in (np.argwhere(where) + shift).tolist():
            ahead.setdefault((row, column), []).append(step)
    return ahead


def _follow(ahead: dict[Corner, list[Corner]], start: Corner) -> list[Any]:
    """Walk one ring, take its steps out, and give its corners."""
    corners = []
    corner, step = start, _step_from(ahead, start, None)
    first = step
    while True:
        corner = (corner[0] + step[0], corner[1] + step[1])
        if corner == start and not _goes_on(ahead, corner, step):
            break
        turn = _step_from(ahead, corner, step)
        if turn != step:
            corners.append(corner)
        step = turn
    return [start, *corners] if step != first else corners


def _goes_on(ahead: dict[Corner, list[Corner]], corner: Corner, step: Corner) -> bool:
    """Say whether the ring passes its first corner and comes there once more."""
    return _LEFT_TURN[step] in ahead.get(corner, [])


def _step_from(
    ahead: dict[Corner, list[Corner]], corner: Corner, step: Corner | None
) -> Corner:
    """Take the next step; where two are free, the left one joins the corners."""
    steps = ahead[corner]
    left = None if step is None else _LEFT_TURN[step]
    taken = left if left in steps else steps[0]
    steps.remove(taken)
    if not steps:
        del ahead[corner]
    return taken
