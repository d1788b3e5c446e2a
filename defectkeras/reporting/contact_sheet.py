"""Many micrographs at a glance, each with its classes in color."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from defectkeras.core.arrays import ClassMap, Image
from defectkeras.core.labels import LabelScheme
from defectkeras.core.palette import class_colors
from defectkeras.reporting.layers import shrink_class_map
from defectkeras.reporting.overlay import paint_classes
from defectkeras.reporting.plates import load_font

CELL_PX = 320
LINE_PX = 28
LETTER_PX = 14
GAP_PX = 12
GROUND = (244, 246, 247)
INK = (29, 39, 48)

Item = tuple[str, Image, ClassMap]
"""Name, normalized image (H, W) and class map (H, W)."""


def draw_contact_sheet(
    items: Iterable[Item], scheme: LabelScheme, *, columns: int = 4
) -> NDArray[np.uint8]:
    """Draw a sheet of small overlays with their names.

    Args:
        items: Name, image (H, W) in [0, 1] and class map (H, W); any sizes. They
            are taken one by one, so a generator need not hold them all.
        scheme: The classes, shown once as legend on top.
        columns: Pictures beside each other.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: When there is no item.
    """
    cells = [_draw_cell(item, scheme) for item in items]
    if not cells:
        raise ValueError("`items` must hold at least one micrograph. Received: none.")
    columns = min(columns, len(cells))
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) + GAP_PX for row in rows]
    top = LINE_PX + 2 * GAP_PX
    step = CELL_PX + GAP_PX
    sheet = PillowImage.new(
        "RGB", (columns * step + GAP_PX, top + sum(heights)), GROUND
    )
    _draw_legend(sheet, scheme)
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            sheet.paste(cell, (GAP_PX + column * step, top))
        top += height
    return np.asarray(sheet)


def _draw_cell(item: Item, scheme: LabelScheme) -> PillowImage.Image:
    """Draw one overlay, at most a square, with its name underneath."""
    name, image, class_map = item
    shrink = CELL_PX / max(image.shape)
    height, width = (max(1, round(shrink * side)) for side in image.shape)
    method = cv2.INTER_AREA if shrink < 1 else cv2.INTER_NEAREST
    grey = np.asarray(cv2.resize(image, (width, height), interpolation=method))
    if shrink < 1:
        shown = shrink_class_map(class_map, (height, width))
    else:
        larger = cv2.resize(class_map, (width, height), interpolation=method)
        shown = np.asarray(larger, dtype=np.int32)
    cell = PillowImage.new("RGB", (CELL_PX, height + LINE_PX), GROUND)
    overlay = PillowImage.fromarray(
        paint_classes(grey.astype(np.float32), shown, scheme)
    )
    cell.paste(overlay)
    font = load_font(LETTER_PX)
    text = _shorten(f"{name}  {image.shape[0]} × {image.shape[1]} px", font)
    ImageDraw.Draw(cell).text((0, height + LINE_PX / 2), text, INK, font, anchor="lm")
    return cell


def _draw_legend(sheet: PillowImage.Image, scheme: LabelScheme) -> None:
    """Draw the classes in one line on top, as far as there is room."""
    draw, font = ImageDraw.Draw(sheet), load_font(LETTER_PX)
    left, middle = float(GAP_PX), GAP_PX + LINE_PX / 2
    for index, color in class_colors(scheme).items():
        name = scheme.classes[index].name
        half = LETTER_PX / 2
        box = (left, middle - half, left + LETTER_PX, middle + half)
        draw.rounded_rectangle(box, radius=3, fill=color)
        left += 1.5 * LETTER_PX
        draw.text((left, middle), name, INK, font, anchor="lm")
        left += font.getlength(name) + 2 * LETTER_PX


def _shorten(text: str, font: ImageFont.FreeTypeFont) -> str:
    """Cut the middle of a text that is wider than a picture."""
    keep = len(text)
    shown = text
    while font.getlength(shown) > CELL_PX - 4:
        keep -= 1
        shown = f"{text[: keep // 2]}…{text[len(text) - keep + keep // 2 :]}"
    return shown
