"""Round defects by the Laplacian of the Gaussian."""

import math

import numpy as np
from skimage.draw import disk
from skimage.feature import blob_log
from skimage.filters import threshold_otsu

from defectkeras.classical.tiles import Polarity, predict_masks, with_bright_defects
from defectkeras.core.arrays import Image, Mask, PredictFn

# What the scale-normalized filter says in the center of a disc of contrast 1, at the
# scale of the disc
RESPONSE_OF_DISC = 2 / math.e

MIN_CONTRAST = 0.01  # of the range of grey levels; a flat image has no blobs


def blobs(
    image: Image,
    *,
    polarity: Polarity,
    min_radius_px: float = 3.0,
    max_radius_px: float = 15.0,
    num_scales: int = 6,
) -> PredictFn:
    """Find discs by the Laplacian of the Gaussian, and draw them.

    A disc of radius r answers most at the scale sigma = r / sqrt(2). It is taken when
    its contrast reaches from the median of the micrograph, its matrix, to the
    micrograph's Otsu threshold.

    Args:
        image: (H, W) in [0, 1], the whole micrograph, mostly matrix.
        polarity: Whether the defects are dark or bright.
        min_radius_px: Least radius in pixels.
        max_radius_px: Largest radius in pixels.
        num_scales: Number of radii that are tried.

    Returns:
        Tiles (N, T, T, 1) of it to probabilities (N, T, T, 2).

    References:
        T. Lindeberg, "Feature detection with automatic scale selection", Int. J.
        Comput. Vis. 30, 79 (1998), https://doi.org/10.1023/A:1008045108935
    """
    bright_image = with_bright_defects(image, polarity)
    contrast = float(threshold_otsu(bright_image) - np.median(bright_image))
    threshold = RESPONSE_OF_DISC * max(contrast, MIN_CONTRAST)

    def find_blobs(tile: Image) -> Mask:
        """Draw the discs of a tile, (H, W) to (H, W)."""
        found = blob_log(
            with_bright_defects(tile, polarity),
            min_sigma=min_radius_px / math.sqrt(2),
            max_sigma=max_radius_px / math.sqrt(2),
            num_sigma=num_scales,
            threshold=threshold,
            log_scale=True,
        )
        mask = np.zeros(tile.shape, dtype=np.bool_)
        for row, column, sigma in found:
            mask[disk((row, column), math.sqrt(2) * sigma, shape=tile.shape)] = True
        return mask

    return predict_masks(find_blobs)
