"""Symmetries of micrographs, for views of a tile and the way back.

A plan view of a foil has no up and no down: its eight turned and mirrored views are as
likely. A detector that lights from above, or layers of a cross-section, leave two.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Symmetries = Literal["none", "left-right", "square"]
"""As it is alone; also mirrored left to right; all eight of the square."""

VIEWS: Mapping[Symmetries, tuple[int, ...]] = {
    "none": (0,),
    "left-right": (0, 4),
    "square": tuple(range(8)),
}
"""The views of each, for `transform`."""


def transform(tiles: NDArray[np.float32], index: int) -> NDArray[np.float32]:
    """Give a view of square tiles: turned, and mirrored from 4 on.

    Args:
        tiles: (N, T, T, C).
        index: 0 (as it is) to 7.

    Returns:
        (N, T, T, C), contiguous.
    """
    turned = np.rot90(tiles, index % 4, axes=(1, 2))
    return np.ascontiguousarray(turned[:, :, ::-1] if index >= 4 else turned)


def transform_back(tiles: NDArray[np.float32], index: int) -> NDArray[np.float32]:
    """Undo `transform`.

    Args:
        tiles: (N, T, T, C).
        index: 0 to 7.

    Returns:
        (N, T, T, C), a view on `tiles`.
    """
    plain = tiles[:, :, ::-1] if index >= 4 else tiles
    return np.rot90(plain, -(index % 4), axes=(1, 2))
