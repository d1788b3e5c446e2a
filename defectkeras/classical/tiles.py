"""What the methods have in common: polarity, and masks of tiles as probabilities."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import Image, Mask, PredictFn

Polarity = Literal["dark", "bright"]
"""Whether the defects are darker or brighter than the matrix."""


def with_bright_defects(
    image: NDArray[np.float32], polarity: Polarity
) -> NDArray[np.float32]:
    """Turn an image over where its defects are dark.

    Args:
        image: (H, W) in [0, 1].
        polarity: What the defects are.

    Returns:
        (H, W) in [0, 1] with bright defects.

    Raises:
        ValueError: When the polarity is neither "dark" nor "bright".
    """
    if polarity not in get_args(Polarity):
        raise ValueError(
            f'`polarity` must be "dark" or "bright". Received: polarity={polarity!r}.'
        )
    return 1 - image if polarity == "dark" else image


def predict_masks(find_defects: Callable[[Image], Mask]) -> PredictFn:
    """Make a `PredictFn` of two classes, the matrix first, from a function of a tile.

    Args:
        find_defects: (T, T) in [0, 1] to (T, T), true where a defect is.

    Returns:
        Tiles (N, T, T, 1) to probabilities (N, T, T, 2), each 0 or 1.

    Example:
        >>> predict = predict_masks(lambda tile: tile > 0.5)
        >>> predict(np.array([[[[0.2], [0.7]]]], dtype=np.float32))
        array([[[[1., 0.],
                 [0., 1.]]]], dtype=float32)
    """

    def predict_tiles(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn tiles (N, T, T, 1) into probabilities (N, T, T, 2)."""
        masks = np.stack([find_defects(tile[..., 0]) for tile in tiles])
        return np.stack([~masks, masks], axis=-1).astype(np.float32)

    return predict_tiles
