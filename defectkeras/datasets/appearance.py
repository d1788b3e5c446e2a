"""How micrographs look: contrast of the classes, scan lines, brightness across.

All of it is relative to the range of grey levels of a micrograph, from the 1st to the
99th percentile, so that units and bit depths do not matter.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap

_COARSE_PX = 32  # side of the small image that a plane is laid through


def grey_range(pixels: NDArray[np.floating]) -> float:
    """Give the distance of the 1st and the 99th percentile of (H, W), above 0."""
    low, high = np.percentile(pixels, (1, 99))
    return max(float(high - low), 1e-12)


def class_contrasts(
    pixels: NDArray[np.floating], class_map: ClassMap, *, num_classes: int
) -> tuple[float | None, ...]:
    """Measure how much brighter than the matrix each class is.

    The difference of the median grey levels, in units of the grey range.

    Args:
        pixels: (H, W) grey levels.
        class_map: (H, W) class indices.
        num_classes: Number of classes, the matrix among them.

    Returns:
        One for each class; below 0 where it is darker than the matrix, None where it
        or the matrix is not there.

    Example:
        >>> pixels = np.array([[2.0, 2.0, 2.0, 2.0], [2.0, 2.0, 8.0, 8.0]])
        >>> class_contrasts(pixels, np.array([[0] * 4, [0, 0, 2, 2]]), num_classes=3)
        (0.0, None, 1.0)
    """
    masks = [class_map == index for index in range(num_classes)]
    medians = [float(np.median(pixels[m])) if m.any() else None for m in masks]
    matrix, whole = medians[0], grey_range(pixels)
    return tuple(
        None if m is None or matrix is None else (m - matrix) / whole for m in medians
    )


def scan_roughness(pixels: NDArray[np.floating]) -> float:
    """Measure how much more grey levels change between rows than along them.

    The mean absolute difference of neighbors in a column over that of neighbors in a
    row: 1 where a camera took the picture at once, more where lines were scanned one
    after another and do not fit together.

    Args:
        pixels: (H, W) grey levels.

    Example:
        >>> scan_roughness(np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]))
        3.0
    """
    between = float(np.mean(np.abs(np.diff(pixels, axis=0))))
    along = float(np.mean(np.abs(np.diff(pixels, axis=1))))
    return between / max(along, 1e-12)


def brightness_slope(pixels: NDArray[np.floating]) -> float:
    """Measure how much the brightness changes from one side to the other.

    The steepest change over the micrograph of the plane that fits best, in units of
    the grey range.

    Args:
        pixels: (H, W) grey levels.
    """
    size = (_COARSE_PX, _COARSE_PX)
    coarse = cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    ramp = (np.arange(_COARSE_PX) + 0.5) / _COARSE_PX - 0.5
    slopes = (coarse.mean(axis=axis) @ ramp / (ramp @ ramp) for axis in (0, 1))
    return float(np.hypot(*slopes)) / grey_range(pixels)
