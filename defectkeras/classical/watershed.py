"""Defects with borders where the grey level changes most."""

import numpy as np
from skimage.filters import gaussian, sobel, threshold_otsu
from skimage.segmentation import watershed as flood

from defectkeras.classical.tiles import Polarity, predict_masks, with_bright_defects
from defectkeras.core.arrays import Image, Mask, PredictFn


def watershed(image: Image, *, polarity: Polarity, sigma_px: float = 1.0) -> PredictFn:
    """Flood the steepness of the grey level from what surely is matrix and defect.

    Otsu's threshold parts the grey levels of the whole micrograph in two. What is
    darker than the mean of the dark ones surely is matrix, what is brighter than the
    mean of the bright ones surely is defect (of bright defects), and the basins that
    grow from both meet where the grey level is steepest.

    Args:
        image: (H, W) in [0, 1], the whole micrograph.
        polarity: Whether the defects are dark or bright.
        sigma_px: Standard deviation in pixels of the Gaussian that calms noise.

    Returns:
        Tiles (N, T, T, 1) of it to probabilities (N, T, T, 2). A basin ends with its
        tile.

    References:
        F. Meyer, S. Beucher, "Morphological segmentation", J. Vis. Commun. Image
        Represent. 1, 21 (1990), https://doi.org/10.1016/1047-3203(90)90014-M
    """

    def smooth(tile: Image) -> Image:
        """Calm the noise of a tile, (H, W) to (H, W)."""
        bright = with_bright_defects(tile, polarity)
        return np.asarray(gaussian(bright, sigma_px), dtype=np.float32)

    levels = smooth(image)
    parted = threshold_otsu(levels)
    matrix = float(levels[levels <= parted].mean())
    is_above = levels > parted
    defect = float(levels[is_above].mean()) if is_above.any() else np.inf

    def find_basins(tile: Image) -> Mask:
        """Flood a tile from its markers, (H, W) to (H, W)."""
        smoothed = smooth(tile)
        markers = np.zeros(tile.shape, dtype=np.int32)
        markers[smoothed <= matrix] = 1
        markers[smoothed >= defect] = 2
        return np.asarray(flood(sobel(smoothed), markers) == 2)

    return predict_masks(find_basins)
