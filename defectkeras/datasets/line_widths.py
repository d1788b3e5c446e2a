"""Widths of annotated lines."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from defectkeras.core.arrays import Mask


def line_widths_px(mask: Mask) -> NDArray[np.float64]:
    """Measure the width of lines at each pixel of their middle line.

    Twice the distance to the nearest pixel beside the line less 1/2, which is right
    to 1/2 px for odd and for even widths.

    Args:
        mask: (H, W).

    Returns:
        (N,) widths in px, one for each of the N pixels of the skeleton.

    Example:
        >>> mask = np.zeros((9, 30), bool)
        >>> mask[3:6] = True
        >>> float(np.median(line_widths_px(mask)))
        3.5
    """
    padded = np.pad(mask, 1).astype(np.uint8)
    distances = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    middle: NDArray[np.float64] = distances[skeletonize(padded > 0)].astype(np.float64)
    return 2.0 * middle - 0.5
