"""Grey levels against one threshold, or against those around."""

import numpy as np
from skimage.filters import threshold_local, threshold_otsu

from defectkeras.classical.tiles import Polarity, predict_masks, with_bright_defects
from defectkeras.core.arrays import Image, Mask, PredictFn


def otsu(image: Image, *, polarity: Polarity) -> PredictFn:
    """Part grey levels in two by the threshold that parts their variance best.

    The threshold is that of the whole micrograph, the same for all tiles.

    Args:
        image: (H, W) in [0, 1], the whole micrograph.
        polarity: Whether the defects are dark or bright.

    Returns:
        Tiles (N, T, T, 1) of it to probabilities (N, T, T, 2).

    Example:
        >>> image = np.array([[0.1, 0.2, 0.9]], dtype=np.float32)
        >>> otsu(image, polarity="bright")(image[None, :, :, None])[0, 0, :, 1]
        array([0., 0., 1.], dtype=float32)

    References:
        N. Otsu, "A threshold selection method from gray-level histograms", IEEE
        Trans. Syst. Man Cybern. 9, 62 (1979),
        https://doi.org/10.1109/TSMC.1979.4310076
    """
    level = threshold_otsu(with_bright_defects(image, polarity))
    return predict_masks(lambda tile: with_bright_defects(tile, polarity) > level)


def local_threshold(
    image: Image, *, polarity: Polarity, window_px: int = 51, margin: float = 0.5
) -> PredictFn:
    """Compare each pixel with the mean around it, weighted by a Gaussian.

    Unlike one threshold it bears slow changes of the grey level, but what is larger
    than the window is seen at its rim only.

    Args:
        image: (H, W) in [0, 1], the whole micrograph.
        polarity: Whether the defects are dark or bright.
        window_px: Side of the surroundings in pixels, odd. The Gaussian has a
            standard deviation of a sixth of it.
        margin: By how many standard deviations of the whole micrograph's grey levels
            a defect must differ from the mean.

    Returns:
        Tiles (N, T, T, 1) of it to probabilities (N, T, T, 2).

    Raises:
        ValueError: When the window is even.
    """
    offset = margin * float(np.std(image))

    def find_defects(tile: Image) -> Mask:
        """Compare a tile with its local means, (H, W) to (H, W)."""
        bright = with_bright_defects(tile, polarity)
        around = threshold_local(bright, window_px, offset=-offset)
        return np.asarray(bright > around)

    with_bright_defects(image, polarity)  # tells a bad polarity at once
    return predict_masks(find_defects)
