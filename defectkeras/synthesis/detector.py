"""From intensity to grey levels: drift, scan errors, blur, shot noise, digits."""

import cv2
import numpy as np
from numpy.random import Generator

from defectkeras.core.arrays import Image
from defectkeras.synthesis.imaging import Imaging

_LARGEST_LEVEL = 65535
_DRIFT_SAMPLES = 9


def record(rng: Generator, intensity: Image, imaging: Imaging) -> Image:
    """Record an image with a 16-bit detector.

    Args:
        rng: Source of randomness.
        intensity: (H, W) with mean about 1.
        imaging: Blur, drift, scan errors and dose.

    Returns:
        (H, W) float32 grey levels, whole numbers from 0 to 65535.
    """
    image = blur(intensity, imaging.blur_px)
    if imaging.line_jitter_px > 0:
        image = shift_rows(rng, image, imaging)
    else:
        image = smear(rng, image, imaging.drift_px)
    rows = rng.normal(size=(image.shape[0], 1))
    expected = image * (1 + imaging.row_gain * rows) * imaging.dose_per_px
    gain = rng.uniform(8000, 24000) / imaging.dose_per_px
    offset = rng.uniform(200, 4000)
    counts = rng.poisson(np.maximum(expected, 0))
    image = blur(counts.astype(np.float32), imaging.detector_blur_px)
    levels = np.rint(np.clip(offset + gain * image, 0, _LARGEST_LEVEL))
    return np.asarray(levels, dtype=np.float32)


def blur(image: Image, sigma_px: float) -> Image:
    """Blur an image (H, W) with a Gaussian; 0 leaves it as it is."""
    if sigma_px == 0:
        return image
    blurred = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.float32)


def shift_rows(rng: Generator, image: Image, imaging: Imaging) -> Image:
    """Displace the rows of a scanned image.

    Rows jitter independently along the scan; drift moves them slowly both ways.
    Both have mean 0 over the rows, so that annotations stay in place.

    Args:
        rng: Source of randomness.
        image: (H, W).
        imaging: Jitter and drift in pixels.

    Returns:
        (H, W) sampled at the displaced places.
    """
    height, width = image.shape
    knots = rng.normal(size=(2, _DRIFT_SAMPLES))
    at = np.linspace(0, _DRIFT_SAMPLES - 1, height)
    slow = np.stack([np.interp(at, np.arange(_DRIFT_SAMPLES), k) for k in knots])
    slow -= slow.mean(axis=1, keepdims=True)
    jitter = imaging.line_jitter_px * rng.normal(size=height)
    across = np.arange(width) + (imaging.drift_px * slow[1] + jitter)[:, None]
    down = np.broadcast_to(
        (np.arange(height) + imaging.drift_px * slow[0])[:, None], image.shape
    )
    shifted = cv2.remap(
        image,
        across.astype(np.float32),
        down.astype(np.float32),
        interpolation=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(shifted, dtype=np.float32)


def smear(rng: Generator, image: Image, drift_px: float) -> Image:
    """Average an image over a straight movement during the exposure.

    Args:
        rng: Source of randomness.
        image: (H, W).
        drift_px: Length of the movement.

    Returns:
        (H, W).
    """
    angle = rng.uniform(0, np.pi)
    half = drift_px / 2 * np.array([np.sin(angle), np.cos(angle)])
    reach = int(np.ceil(drift_px / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for part in np.linspace(-1, 1, _DRIFT_SAMPLES):
        row, column = part * half + reach
        top, left = int(row), int(column)
        low, right = row - top, column - left
        kernel[top : top + 2, left : left + 2] += np.outer(
            [1 - low, low], [1 - right, right]
        )
    kernel /= kernel.sum()
    smeared = cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smeared, dtype=np.float32)
