"""A micrograph with its classes in color, a legend and a scale bar."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from defectkeras.core.arrays import (
    NOT_ANNOTATED,
    ClassMap,
    Image,
    require_class_map,
    require_image,
)
from defectkeras.core.calibration import Calibration
from defectkeras.core.files import write_whole
from defectkeras.core.labels import LabelScheme
from defectkeras.core.palette import NOT_ANNOTATED_COLOR, Color, class_colors
from defectkeras.reporting.layers import class_opacity, drawing_order
from defectkeras.reporting.plates import draw_legend, draw_scale_bar
from defectkeras.reporting.scale_bar import choose_scale_bar


def draw_overlay(
    image: Image,
    class_map: ClassMap,
    scheme: LabelScheme,
    *,
    calibration: Calibration,
) -> NDArray[np.uint8]:
    """Draw classes, legend and scale bar over a micrograph.

    Regions have an outline and a light fill, lines are drawn over, and what is
    not annotated is veiled. Outlines and letters grow with the picture; a
    picture that is too small for a legend or a bar goes without.

    Args:
        image: (H, W) in [0, 1].
        class_map: (H, W).
        scheme: The classes; only those that occur are in the legend.
        calibration: Sets the scale bar.

    Returns:
        (H, W, 3) uint8, red before green before blue.

    Raises:
        ValueError: When the shapes differ.
    """
    canvas = PillowImage.fromarray(paint_classes(image, class_map, scheme))
    draw_scale_bar(canvas, choose_scale_bar(image.shape[1], calibration))
    draw_legend(canvas, legend_entries(class_map, scheme))
    return np.asarray(canvas)


def paint_classes(
    image: Image, class_map: ClassMap, scheme: LabelScheme
) -> NDArray[np.uint8]:
    """Draw classes over a micrograph, without legend and scale bar.

    Args:
        image: (H, W) in [0, 1].
        class_map: (H, W).
        scheme: The classes.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: When the shapes differ.
    """
    image = require_image(image, name="image")
    class_map = require_class_map(
        class_map, num_classes=scheme.num_classes, name="class_map"
    )
    if image.shape != class_map.shape:
        raise ValueError(
            "`image` and `class_map` must have one shape. Received: "
            f"{image.shape} and {class_map.shape}."
        )
    picture = np.repeat(image.clip(0, 1)[..., np.newaxis] * 255, 3, axis=-1)
    _cover(picture, 0.6 * (class_map == NOT_ANNOTATED), NOT_ANNOTATED_COLOR)
    colors = class_colors(scheme)
    for defect_class in drawing_order(scheme):
        mask = class_map == defect_class.index
        if mask.any():
            opacity = class_opacity(mask, defect_class.kind) / 255
            _cover(picture, opacity, colors[defect_class.index])
    return np.asarray(np.rint(picture), dtype=np.uint8)


def legend_entries(class_map: ClassMap, scheme: LabelScheme) -> list[tuple[str, Color]]:
    """Give name and color of each class that occurs in a class map (H, W)."""
    found = set(np.unique(class_map).tolist())
    colors = class_colors(scheme)
    entries = [(c.name, colors[c.index]) for c in scheme.defects if c.index in found]
    if NOT_ANNOTATED in found:
        entries.append(("not annotated", NOT_ANNOTATED_COLOR))
    return entries


def write_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a picture as PNG, whole or not at all.

    Args:
        pixels: (H, W, 3) colors or (H, W) grey.
        path: Where the file goes.
    """
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, format="PNG")
    write_whole(path, buffer.getvalue())


def _cover(
    picture: NDArray[np.float32], opacity: NDArray[np.floating], color: Color
) -> None:
    """Lay a color over (H, W, 3) by an opacity (H, W) in [0, 1], in place."""
    share = opacity[..., np.newaxis].astype(np.float32)
    picture += share * (np.asarray(color, dtype=np.float32) - picture)
