"""What a foil without defects looks like: bending, thickness, mottling."""

import math

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from defectkeras.core.arrays import Image
from defectkeras.synthesis.imaging import Imaging
from defectkeras.synthesis.two_beam import bright_field

_COARSE_PX = 4  # bend contours are wide
_TEXTURE_PX = (40.0, 14.0, 5.0)


def draw_background(
    rng: Generator, shape: tuple[int, int], imaging: Imaging, foil_thickness_nm: float
) -> Image:
    """Draw the intensity of a foil without defects.

    Args:
        rng: Source of randomness.
        shape: (H, W) in pixels.
        imaging: Strength of bend contours, thickness gradient, shading, texture.
        foil_thickness_nm: Mean thickness.

    Returns:
        (H, W) intensity above 0 with mean 1.
    """
    height, width = shape
    coarse = (height // _COARSE_PX + 2, width // _COARSE_PX + 2)
    thickness = foil_thickness_nm / imaging.extinction_distance_nm
    wedge = 1 + imaging.thickness_gradient / 2 * draw_tilt(rng, coarse)
    bent = draw_bending(rng, coarse, imaging)
    contours = bright_field(thickness * wedge, bent, imaging) ** imaging.bend_contours
    absorbed = np.exp(-2 * np.pi * imaging.absorption * thickness * (wedge - 1))
    smooth = (contours / contours.mean() * absorbed).astype(np.float32)
    image = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_CUBIC)
    shading = draw_noise(rng, shape, 0.35 * max(shape))
    octaves = [draw_noise(rng, shape, scale) for scale in _TEXTURE_PX]
    texture = np.sum(octaves, axis=0) / math.sqrt(len(_TEXTURE_PX))
    relative = imaging.shading * shading + imaging.texture * texture
    image = np.maximum(image, 0.02) * np.exp(np.clip(relative, -1, 1))
    return np.asarray(image / image.mean(), dtype=np.float32)


def draw_tilt(rng: Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Draw a plane in a random direction.

    Args:
        rng: Source of randomness.
        shape: (H, W).

    Returns:
        (H, W) from -1 to 1 along the direction.
    """
    angle = rng.uniform(0, 2 * np.pi)
    row, column = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    plane = np.sin(angle) * row + np.cos(angle) * column
    return np.asarray(plane / (abs(np.sin(angle)) + abs(np.cos(angle))))


def draw_bending(
    rng: Generator, shape: tuple[int, int], imaging: Imaging
) -> NDArray[np.float64]:
    """Draw the deviation parameter over a buckled foil.

    Args:
        rng: Source of randomness.
        shape: (H, W).
        imaging: Gives the range.

    Returns:
        (H, W) deviation parameters.
    """
    tilt = draw_tilt(rng, shape)
    buckle = draw_noise(rng, shape, 0.5 * max(shape)).astype(np.float64)
    start = rng.uniform(-0.8, 0.8)
    return np.asarray(imaging.bend_range * (start + tilt + 0.35 * buckle))


def draw_noise(rng: Generator, shape: tuple[int, int], scale_px: float) -> Image:
    """Draw smooth random noise.

    Args:
        rng: Source of randomness.
        shape: (H, W) in pixels.
        scale_px: Distance over which it changes.

    Returns:
        (H, W) of mean about 0 and rms about 1.
    """
    height, width = shape
    step = max(scale_px / 2, 1.0)
    white = rng.normal(size=(int(height / step) + 5, int(width / step) + 5))
    knots = cv2.GaussianBlur(white, (0, 0), 1.0) * 2 * math.sqrt(math.pi)  # rms 1
    grown = cv2.resize(
        np.asarray(knots, dtype=np.float32),
        (int(knots.shape[1] * step) + 1, int(knots.shape[0] * step) + 1),
        interpolation=cv2.INTER_CUBIC,
    )
    top, left = (grown.shape[0] - height) // 2, (grown.shape[1] - width) // 2
    return np.ascontiguousarray(grown[top : top + height, left : left + width])
