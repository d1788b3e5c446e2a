"""Other pixel sizes: images are averaged or interpolated, class maps are not.

Pixels are squares whose centers lie at half numbers, so that both fields of
view begin and end at the same place.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, Image, ProbabilityMap
from defectkeras.core.errors import MicrographError
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.checks import MAX_PIXELS


def resize_image(image: Image, shape: tuple[int, int]) -> Image:
    """Resize an image: area average where it shrinks, linear where it grows.

    Neither goes beyond the range of the grey levels, as a cubic would.

    Args:
        image: (H, W) grey levels.
        shape: (H', W') in pixels, at least 1.

    Returns:
        (H', W') float32.

    Raises:
        ValueError: When the shape has a side below 1.

    Example:
        >>> resize_image(np.array([[0.0, 2.0, 4.0, 6.0]], np.float32), (1, 2))
        array([[1., 5.]], dtype=float32)
    """
    return _resize_floats(np.asarray(image, dtype=np.float32), shape)


def resize_probability_map(
    probability_map: ProbabilityMap, shape: tuple[int, int]
) -> ProbabilityMap:
    """Resize the probabilities of the classes; they still add up to 1.

    Args:
        probability_map: (H, W, K).
        shape: (H', W') in pixels, at least 1.

    Returns:
        (H', W', K) float32.

    Raises:
        ValueError: When the shape has a side below 1.
    """
    classes = np.moveaxis(np.asarray(probability_map, dtype=np.float32), -1, 0)
    resized = np.empty((*shape, len(classes)), dtype=np.float32)
    for k, one_class in enumerate(classes):
        resized[..., k] = _resize_floats(np.ascontiguousarray(one_class), shape)
    return resized


def resize_class_map(class_map: ClassMap, shape: tuple[int, int]) -> ClassMap:
    """Resize a class map by the nearest pixel, which makes no new classes.

    Args:
        class_map: (H, W) class indices.
        shape: (H', W') in pixels, at least 1.

    Returns:
        (H', W') int32.

    Raises:
        ValueError: When the shape has a side below 1.

    Example:
        >>> resize_class_map(np.array([[0, 2, 1]], np.int32), (2, 6))
        array([[0, 0, 2, 2, 1, 1],
               [0, 0, 2, 2, 1, 1]], dtype=int32)
    """
    _require_shape(shape)
    rows, columns = (
        _nearest(old, new) for old, new in zip(class_map.shape, shape, strict=True)
    )
    return np.asarray(class_map, dtype=np.int32)[np.ix_(rows, columns)]


def resize_to_pixel_size(micrograph: Micrograph, pixel_size_nm: float) -> Micrograph:
    """Resample a micrograph to another pixel size.

    Sides are rounded to whole pixels, so the pixel size is true to half a
    pixel over the whole side.

    Args:
        micrograph: With a known pixel size.
        pixel_size_nm: The wanted side of a pixel in nm, above 0.

    Returns:
        A micrograph with this pixel size; its source tells the old one.

    Raises:
        CalibrationError: When the pixel size of the micrograph is not known, or
            the wanted one is not above 0.
        MicrographError: When the result would be too large.
    """
    calibration = micrograph.calibration
    old_nm = calibration.require_pixel_size_nm()
    source = f"resampled from {old_nm:g} nm ({calibration.pixel_size_source})"
    new = replace(calibration, pixel_size_nm=pixel_size_nm, pixel_size_source=source)
    scaled = (round(n * old_nm / pixel_size_nm) for n in micrograph.shape)
    height, width = (max(1, n) for n in scaled)
    if height * width > MAX_PIXELS:
        raise MicrographError(
            f"{micrograph.name}: must have at most {MAX_PIXELS} pixels when "
            f"resampled to {pixel_size_nm:g} nm. Received: {height} x {width}. "
            "Cut it, or choose a larger pixel size."
        )
    pixels = resize_image(micrograph.pixels, (height, width))
    return replace(micrograph, pixels=pixels, calibration=new)


def _resize_floats(image: NDArray[np.float32], shape: tuple[int, int]) -> Image:
    """Resize rows and columns, each with the rule for its own direction."""
    _require_shape(shape)
    for rows, columns in ((shape[0], image.shape[1]), shape):
        if (rows, columns) != image.shape:
            shrinks = rows <= image.shape[0] and columns <= image.shape[1]
            rule = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(image, (columns, rows), interpolation=rule))
    return image


def _nearest(old: int, new: int) -> NDArray[np.intp]:
    """Give the old pixel under the center of each new one, in whole numbers."""
    return (2 * np.arange(new, dtype=np.intp) + 1) * old // (2 * new)


def _require_shape(shape: tuple[int, int]) -> None:
    if min(shape) < 1:
        raise ValueError(f"`shape` must be at least (1, 1). Received: {shape}.")
