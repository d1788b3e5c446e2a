"""Legend and scale bar: white on a dark plate, legible on every micrograph."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

import matplotlib
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from defectkeras.core.palette import Color
from defectkeras.reporting.scale_bar import ScaleBar

WHITE = (255, 255, 255)
PLATE = (16, 18, 22)
PLATE_OPACITY = 0.72
LARGEST_SHARE = 0.6
"""A plate that is wider or higher than this share of the picture is left out."""

Canvas: TypeAlias = PillowImage.Image
"""An RGB picture to draw on."""

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom."""


def text_size_px(size: tuple[int, int]) -> int:
    """Give the height of letters for a picture (width, height) in pixels."""
    return max(12, round(min(max(size) / 44, min(size) / 12)))


@cache
def load_font(size_px: int) -> ImageFont.FreeTypeFont:
    """Load DejaVu Sans, which comes with Matplotlib and has all our letters."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(folder / "DejaVuSans.ttf"), size_px)


def draw_scale_bar(canvas: Canvas, bar: ScaleBar) -> None:
    """Draw a scale bar in the lower left corner, in place.

    Args:
        canvas: RGB picture of the micrograph's own size.
        bar: Its length in pixels and label.
    """
    letter = text_size_px(canvas.size)
    font = load_font(letter)
    pad = 0.55 * letter
    thickness = max(2, round(letter / 5))
    length = round(bar.length_px)
    label_width = font.getlength(bar.label)
    width = max(length, label_width) + 2 * pad
    height = letter + thickness + 2.35 * pad
    left, top = pad, canvas.height - pad - height
    if not _lay_plate(canvas, (left, top, left + width, top + height)):
        return
    draw = ImageDraw.Draw(canvas)
    middle = left + width / 2
    draw.text((middle, top + pad + letter / 2), bar.label, WHITE, font, anchor="mm")
    bar_left = round(middle - length / 2)
    bar_top = round(top + height - pad - thickness)
    draw.rectangle(
        (bar_left, bar_top, bar_left + length - 1, bar_top + thickness - 1), WHITE
    )


def draw_legend(canvas: Canvas, entries: Sequence[tuple[str, Color]]) -> None:
    """Draw names with their colors in the upper left corner, in place.

    Args:
        canvas: RGB picture.
        entries: Name and color of each class; none draws nothing.
    """
    if not entries:
        return
    letter = text_size_px(canvas.size)
    font = load_font(letter)
    pad = 0.55 * letter
    line = 1.45 * letter
    width = max(font.getlength(name) for name, _ in entries) + 1.5 * letter + 2 * pad
    height = line * len(entries) + 1.1 * pad
    if not _lay_plate(canvas, (pad, pad, pad + width, pad + height)):
        return
    draw = ImageDraw.Draw(canvas)
    for row, (name, color) in enumerate(entries):
        middle = 1.55 * pad + line * (row + 0.5)
        left, half = 2 * pad, 0.45 * letter
        draw.rounded_rectangle(
            (left, middle - half, left + 2 * half, middle + half),
            radius=letter / 6,
            fill=color,
        )
        draw.text((left + 1.5 * letter, middle), name, WHITE, font, anchor="lm")


def _lay_plate(canvas: Canvas, box: Box) -> bool:
    """Darken a box with round corners; say no where the picture is too small."""
    left, top, right, bottom = box
    if right - left > LARGEST_SHARE * canvas.width:
        return False
    if bottom - top > LARGEST_SHARE * canvas.height:
        return False
    shade = PillowImage.new("L", canvas.size, 0)
    ImageDraw.Draw(shade).rounded_rectangle(
        box, radius=text_size_px(canvas.size) / 4, fill=round(255 * PLATE_OPACITY)
    )
    canvas.paste(PLATE, mask=shade)
    return True
