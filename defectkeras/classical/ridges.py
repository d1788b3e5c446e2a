"""Lines by the curvature of the grey level across them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from skimage.filters import sato, threshold_otsu

from defectkeras.classical.tiles import Polarity, predict_masks, with_bright_defects
from defectkeras.core.arrays import Image, Mask, PredictFn


def ridges(
    image: Image, *, polarity: Polarity, sigmas_px: Sequence[float] = (1.5, 2.0, 3.0)
) -> PredictFn:
    """Find lines where a multi-scale ridge filter exceeds its Otsu threshold.

    The filter is Sato's: the largest eigenvalue of the Hessian, across the line, at
    the scale where it is largest. Those of Frangi and of Meijering divide by the
    maximum over what they see, so that a line's answer would depend on its tile.

    Args:
        image: (H, W) in [0, 1], the whole micrograph; the threshold is of its
            response.
        polarity: Whether the lines are dark or bright.
        sigmas_px: Scales in pixels, about half the widths of the lines.

    Returns:
        Tiles (N, T, T, 1) of it to probabilities (N, T, T, 2).

    References:
        Y. Sato et al., "Three-dimensional multi-scale line filter for segmentation
        and visualization of curvilinear structures in medical images", Med. Image
        Anal. 2, 143 (1998), https://doi.org/10.1016/S1361-8415(98)80009-1
    """

    def respond(tile: Image) -> NDArray[np.float32]:
        """Give the ridge filter's response, (H, W) to (H, W)."""
        bright = with_bright_defects(tile, polarity)
        response = sato(bright, sigmas=sigmas_px, black_ridges=False)
        return np.asarray(response, dtype=np.float32)

    level = threshold_otsu(respond(image))

    def find_lines(tile: Image) -> Mask:
        """Give where the response is above the threshold, (H, W) to (H, W)."""
        return np.asarray(respond(tile) > level)

    return predict_masks(find_lines)
