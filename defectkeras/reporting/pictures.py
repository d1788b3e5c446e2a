"""The pictures of a page: a plain micrograph and one clear layer per class.

The page lays the layers over the micrograph, so that a reader can fade them and
switch each off. They are scaled down; the files beside the page are not.
"""

import base64
import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from defectkeras.core.arrays import ClassMap, Image
from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import LabelScheme
from defectkeras.core.palette import Color, class_colors
from defectkeras.reporting.layers import (
    class_opacity,
    drawing_order,
    shrink_class_map,
)
from defectkeras.reporting.scale_bar import ScaleBar, choose_scale_bar

MAX_SIDE_PX = 1600
JPEG_QUALITY = 82
PX_PER_OUTLINE = 530
"""Pages show pictures about so wide; an outline is then one pixel of the screen."""


@dataclass(frozen=True)
class Layer:
    """One class as a picture that is clear elsewhere.

    Attributes:
        class_name: The class.
        color: Its color.
        url: The picture as a data URL.
    """

    class_name: str
    color: Color
    url: str


@dataclass(frozen=True)
class Pictures:
    """A micrograph as a page shows it.

    Attributes:
        width_px: Width of the pictures, at most `MAX_SIDE_PX`.
        height_px: Height.
        plain_url: The micrograph as a data URL.
        layers: The classes that occur, the lowest first.
        scale_bar: In pixels of the pictures.
    """

    width_px: int
    height_px: int
    plain_url: str
    layers: tuple[Layer, ...]
    scale_bar: ScaleBar


def make_pictures(
    image: Image,
    class_map: ClassMap,
    scheme: LabelScheme,
    *,
    calibration: Calibration,
) -> Pictures:
    """Make the pictures of one micrograph, scaled down to `MAX_SIDE_PX`.

    Args:
        image: (H, W) in [0, 1].
        class_map: (H, W).
        scheme: The classes.
        calibration: Sets the scale bar.

    Returns:
        Compressed pictures; they need no more of the arrays.
    """
    height, width = image.shape
    shrink = min(1.0, MAX_SIDE_PX / max(height, width))
    size = (max(1, round(shrink * width)), max(1, round(shrink * height)))
    grey = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)
    shown = shrink_class_map(class_map, size[::-1])
    outline_px = max(1, round(max(size) / PX_PER_OUTLINE))
    colors = class_colors(scheme)
    layers = []
    for defect_class in drawing_order(scheme):
        mask = shown == defect_class.index
        if mask.any():
            color = colors[defect_class.index]
            opacity = class_opacity(mask, defect_class.kind, outline_px=outline_px)
            url = layer_url(opacity, color)
            layers.append(Layer(defect_class.name, color, url))
    bar = choose_scale_bar(width, calibration)
    return Pictures(
        width_px=size[0],
        height_px=size[1],
        plain_url=jpeg_url(grey),
        layers=tuple(layers),
        scale_bar=ScaleBar(bar.length_px * size[0] / width, bar.label),
    )


def jpeg_url(image: Image) -> str:
    """Give (H, W) in [0, 1] as a data URL."""
    grey = np.rint(image.clip(0, 1) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(grey).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return _data_url("image/jpeg", buffer.getvalue())


def layer_url(opacity: NDArray[np.uint8], color: Color) -> str:
    """Give one color at (H, W) opacities as a data URL: a byte for a pixel."""
    picture = PillowImage.fromarray(opacity).convert("L")
    picture = PillowImage.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette(bytes(color) * 256)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=bytes(range(256)), optimize=True)
    return _data_url("image/png", buffer.getvalue())


def _data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
