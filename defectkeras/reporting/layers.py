"""How one class looks: a filled area with an outline, or a drawn line."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, Mask
from defectkeras.core.labels import DefectClass, Kind, LabelScheme

FILL_OPACITY = {"region": 0.25, "line": 0.85}
OUTLINE_OPACITY = {"region": 1.0, "line": 0.0}  # would hide a line of few pixels


LEAST_COVER = 0.35
"""A scaled-down pixel shows a class from this share on, so that thin lines stay."""


def outline_width_px(shape: tuple[int, ...]) -> int:
    """Give the width of outlines for a picture (H, W) in pixels."""
    return max(1, round(math.sqrt(max(shape) / 400)))


def class_opacity(
    mask: Mask, kind: Kind, *, outline_px: int | None = None
) -> NDArray[np.uint8]:
    """Give how much of the class's color covers each pixel.

    Args:
        mask: (H, W), true where the class is.
        kind: A region has an outline on its own border pixels, a line none.
        outline_px: Width of the outline; by default that for a picture seen in
            full size.

    Returns:
        (H, W) from 0 to 255.
    """
    inside = mask.astype(np.uint8)
    opacity: NDArray[np.uint8] = inside * np.uint8(round(255 * FILL_OPACITY[kind]))
    if OUTLINE_OPACITY[kind]:
        outlines, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        width_px = outline_px or outline_width_px(mask.shape)
        strength = round(255 * OUTLINE_OPACITY[kind])
        cv2.drawContours(opacity, outlines, -1, strength, thickness=2 * width_px - 1)
        opacity[~mask] = 0  # the color ends where the object does
    return opacity


def drawing_order(scheme: LabelScheme) -> list[DefectClass]:
    """Give the defect classes from the lowest layer to the uppermost: lines last."""
    return sorted(scheme.defects, key=lambda c: c.kind == "line")


def shrink_class_map(class_map: ClassMap, shape: tuple[int, int]) -> ClassMap:
    """Scale a class map down for showing it; thin lines stay whole.

    Args:
        class_map: (H, W).
        shape: (h, w), not larger.

    Returns:
        (h, w), for the eye only: areas are not kept.
    """
    if class_map.shape == shape:
        return class_map
    shrunk = np.zeros(shape, dtype=np.int32)
    best = np.full(shape, LEAST_COVER, dtype=np.float32)
    for index in np.unique(class_map[class_map != 0]):
        mask = (class_map == index).astype(np.float32)
        cover = cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_AREA)
        wins = cover >= best
        shrunk[wins] = index
        best[wins] = cover[wins]
    return shrunk
