"""Thinning: a mask down to lines one pixel wide.

The two subiterations of Guo and Hall (1989, doi:10.1145/62065.62074, algorithm A1).
Those of Zhang and Suen (1984) eat lines that run down to the right at 45 degrees
from their free ends, where they are an even number of pixels wide.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import Mask
from defectkeras.quantification.runs import Flags, Integers

_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""Rows and columns to the neighbors, clockwise from the one above."""

_INSIDE = 255


def thin(mask: Mask) -> Mask:
    """Thin the parts of a mask to lines one pixel wide.

    Only the pixels of the mask are visited, which are few where lines are.

    Args:
        mask: (H, W) flags.

    Returns:
        (H, W) flags; connected as the mask is.

    Example:
        >>> mask = np.zeros((5, 9), bool)
        >>> mask[1:4, 1:8] = True
        >>> thin(mask).astype(int)[2].tolist(), int(thin(mask).sum())
        ([0, 0, 1, 1, 1, 1, 1, 0, 0], 5)
    """
    padded = np.pad(mask, 1).astype(np.uint8)
    flags = padded.reshape(-1)
    around = np.array([row * padded.shape[1] + column for row, column in _AROUND])
    place = np.flatnonzero(flags)
    candidates = place[_neighborhoods(flags, place, around) != _INSIDE]
    changed = [candidates, candidates]
    number = np.zeros(flags.size, dtype=np.int32)
    for removable in itertools.cycle(_REMOVABLE):
        goes = candidates[removable[_neighborhoods(flags, candidates, around)]]
        flags[goes] = 0
        changed = [changed[1], goes]
        # What has the same neighbors as two subiterations ago stays.
        near = (np.concatenate(changed)[:, np.newaxis] + around).reshape(-1)
        near = near[flags[near] > 0]
        number[near] = np.arange(len(near))
        candidates = near[number[near] == np.arange(len(near))]
        if len(candidates) == 0:
            break
    return np.asarray(padded[1:-1, 1:-1], dtype=bool)


def _neighborhoods(
    flags: NDArray[np.uint8], place: Integers, around: Integers
) -> NDArray[np.uint8]:
    """Give the flags of the eight neighbors of pixels as the bits of a number."""
    code = np.zeros(len(place), dtype=np.uint8)
    for bit, offset in enumerate(around):
        code |= flags[place + offset] << bit
    return code


def _removable(first_side: int) -> Flags:
    """Give (256,) which neighborhoods lose their pixel in a subiteration."""
    p = np.arange(256) >> np.arange(8)[:, np.newaxis] & 1
    sides, after, before = p[::2], p[1::2], np.roll(p, 1, axis=0)[::2]
    parts = ((1 - sides) & (after | np.roll(sides, -1, axis=0))).sum(axis=0)
    count = np.minimum((sides | before).sum(axis=0), (sides | after).sum(axis=0))
    one, corner, other, beyond = p[first_side : first_side + 4]
    kept = (one | corner | (1 - beyond)) & other
    return np.asarray((parts == 1) & (count >= 2) & (count <= 3) & (kept == 0))


_REMOVABLE = (_removable(0), _removable(4))
