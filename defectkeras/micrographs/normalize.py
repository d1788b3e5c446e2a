"""The one normalization of grey levels, so that no stage can differ.

It runs per whole micrograph, never per tile or patch: tiles then join without
seams, and training, prediction and serving see the same numbers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import Image, require_image

SMALLEST_SPAN = float(np.finfo(np.float32).tiny)
"""Percentiles that are nearer count as the same; 1 / span would overflow."""

LOW_PERCENT = 0.1
"""Percentile that becomes 0; hot and dead pixels lie outside."""

HIGH_PERCENT = 99.9
"""Percentile that becomes 1."""


def normalize_percentile(
    pixels: NDArray[Any],
    *,
    low_percent: float = LOW_PERCENT,
    high_percent: float = HIGH_PERCENT,
) -> Image:
    """Map two percentiles of the grey levels to 0 and 1, and clip.

    The percentiles are interpolated linearly between ranked grey levels.

    Args:
        pixels: (H, W) raw grey levels, finite.
        low_percent: From 0, in percent of the pixels.
        high_percent: Up to 100, above `low_percent`.

    Returns:
        (H, W) float32 in [0, 1]; zeros when both percentiles are the same
        grey level, as for a constant image.

    Raises:
        ValueError: When the pixels are no image, or the percentiles are not in
            order.

    Example:
        >>> normalize_percentile(np.array([[10, 20, 30]]), low_percent=0,
        ...                      high_percent=100)
        array([[0. , 0.5, 1. ]], dtype=float32)
    """
    if not 0 <= low_percent < high_percent <= 100:
        raise ValueError(
            "`low_percent` must be below `high_percent`, both from 0 to 100. "
            f"Received: {low_percent} and {high_percent}."
        )
    floats = require_image(pixels, name="pixels")
    low, high = (float(p) for p in np.percentile(floats, [low_percent, high_percent]))
    return normalize_levels(floats, low, high)


def normalize_levels(floats: Image, low: float, high: float) -> Image:
    """Map two grey levels to 0 and 1, and clip.

    Args:
        floats: (H, W) raw grey levels, or some rows of a micrograph.
        low: Becomes 0.
        high: Becomes 1.

    Returns:
        (H, W) float32 in [0, 1]; zeros when both are the same grey level.
    """
    if high - low < SMALLEST_SPAN:
        return np.zeros_like(floats)
    image = floats - np.float32(low)
    image *= np.float32(1 / (high - low))
    return np.clip(image, 0, 1, out=image)
