"""A classifier of single windows as a `PredictFn`: one window around each pixel."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import PredictFn

ClassifyWindows = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Windows (N, P, P, 1) to probabilities (N, K) of their center pixels."""


def slide_window(
    classify_windows: ClassifyWindows, *, patch_size: int, batch_size: int = 1024
) -> PredictFn:
    """Ask a classifier of windows about every pixel of a tile.

    It is the slow way, kept as the baseline and as the truth for the fast one: each
    pixel is looked at `patch_size`^2 times. Only one batch of windows is in memory.

    Args:
        classify_windows: Windows (N, P, P, 1) to probabilities (N, K) of their
            center pixels.
        patch_size: Side P of a window in pixels, odd.
        batch_size: Windows that the classifier takes at once, at least 1.

    Returns:
        A function of tiles (N, T, T, 1) that gives (N, T, T, K); outside a tile
        there are zeros.

    Raises:
        ValueError: When the patch size is even or a size is below 1.

    Example:
        >>> centers = lambda windows: windows[:, 1, 1]
        >>> tiles = np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1)
        >>> slide_window(centers, patch_size=3)(tiles)[0, ..., 0]
        array([[0., 1., 2.],
               [3., 4., 5.]], dtype=float32)
    """
    if patch_size < 1 or patch_size % 2 == 0:
        raise ValueError(
            f"`patch_size` must be odd, so that a window has a center. Received: "
            f"patch_size={patch_size}."
        )
    if batch_size < 1:
        raise ValueError(
            f"`batch_size` must be at least 1. Received: batch_size={batch_size}."
        )
    half = patch_size // 2

    def predict_tiles(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn tiles (N, T, T, 1) into probabilities (N, T, T, K)."""
        padded = np.pad(tiles[..., 0], ((0, 0), (half, half), (half, half)))
        views = np.lib.stride_tricks.sliding_window_view(
            padded, (patch_size, patch_size), axis=(1, 2)
        )  # (N, T, T, P, P), no copy
        pixels = tiles[..., 0].size
        probabilities = []
        for start in range(0, pixels, batch_size):
            some = np.arange(start, min(start + batch_size, pixels))
            places = np.unravel_index(some, tiles.shape[:3])
            probabilities.append(classify_windows(views[places][..., np.newaxis]))
        return np.concatenate(probabilities).reshape(*tiles.shape[:3], -1)

    return predict_tiles
