"""Run lengths of COCO: a mask as counts down its columns, plain or as text.

The counts are of pixels without and with the object in turn, the first without,
column after column. As text each count is given as the difference to the count two
before, in groups of five bits, the low ones first, from the character 48 on.

References:
    COCO API, https://github.com/cocodataset/cocoapi (the format only).
"""

from collections.abc import Sequence

import numpy as np

from defectkeras.core.arrays import Mask
from defectkeras.core.errors import MicrographError

_FIRST_CHARACTER = 48
_MORE, _SIGN = 0x20, 0x10


def mask_of_counts(counts: Sequence[int], size: tuple[int, int]) -> Mask:
    """Give the mask of run lengths.

    Args:
        counts: Pixels without and with the object in turn, down the columns.
        size: (H, W).

    Returns:
        (H, W) true where the object is.

    Raises:
        MicrographError: When the counts are no whole numbers, or do not add up to
            the pixels.

    Example:
        >>> mask_of_counts([1, 2, 3], (2, 3)).astype(int)
        array([[0, 1, 0],
               [1, 0, 0]])
    """
    runs, pixels = np.asarray(counts), size[0] * size[1]
    if runs.size and (runs.ndim != 1 or runs.dtype.kind != "i"):
        raise MicrographError("run lengths must be a list of whole numbers.")
    # Numbers above all pixels could add up to them by an overflow.
    if (runs < 0).any() or (runs > pixels).any() or runs.sum() != pixels:
        raise MicrographError(
            f"run lengths must be from 0 and add up to {size[0]} x {size[1]} pixels. "
            f"Received: {sum(runs.tolist())} pixels in {len(runs)} runs."
        )
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(size, order="F")


def counts_of_mask(mask: Mask) -> list[int]:
    """Give the run lengths of a mask.

    Args:
        mask: (H, W) true where the object is.

    Example:
        >>> counts_of_mask(np.array([[0, 1, 0], [1, 0, 0]], bool))
        [1, 2, 3]
    """
    flat = mask.ravel(order="F")
    turns = np.flatnonzero(np.diff(flat)) + 1
    starts = [0] if flat.size and not flat[0] else [0, 0]
    counts: list[int] = np.diff([*starts, *turns.tolist(), flat.size]).tolist()
    return counts


def text_of_counts(counts: Sequence[int]) -> str:
    """Give run lengths as text.

    Example:
        >>> text_of_counts([6, 1, 40, 4, 5, 4, 5, 4, 21])
        '61X13mN000`0'
    """
    text = []
    for i, count in enumerate(counts):
        rest = count - counts[i - 2] if i > 2 else count
        while True:
            bits = rest & 0x1F
            rest >>= 5
            is_done = rest == (-1 if bits & _SIGN else 0)
            text.append(chr(_FIRST_CHARACTER + (bits if is_done else bits | _MORE)))
            if is_done:
                break
    return "".join(text)


def counts_of_text(text: str) -> list[int]:
    """Give the run lengths that a text holds.

    Raises:
        MicrographError: When the text is no such text.

    Example:
        >>> counts_of_text('61X13mN000`0')
        [6, 1, 40, 4, 5, 4, 5, 4, 21]
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - _FIRST_CHARACTER
        if not 0 <= bits < 2 * _MORE or shift > 60:
            raise MicrographError(
                f"run lengths as text must be COCO's. Received: {text[:20]!r}."
            )
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & _MORE:
            continue
        if bits & _SIGN:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise MicrographError("run lengths as text must be whole. Received: a part.")
    return counts
