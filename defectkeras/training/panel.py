"""The image panel of a training log: micrograph | annotation | prediction."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, Image

PANEL_PX = 512  # longer side of one picture
GAP_PX = 4
OPACITY = 0.5

# Okabe and Ito's colors, told apart by all kinds of color vision
COLORS = np.array(
    [
        (230, 159, 0),
        (86, 180, 233),
        (0, 158, 115),
        (240, 228, 66),
        (0, 114, 178),
        (213, 94, 0),
        (204, 121, 167),
    ],
    np.float32,
)
NOT_ANNOTATED_COLOR = np.array((90, 90, 90), np.float32)


def draw_panel(
    image: Image, annotation: ClassMap, prediction: ClassMap
) -> NDArray[np.uint8]:
    """Draw a micrograph, its annotation and its prediction side by side.

    Args:
        image: (H, W) in [0, 1].
        annotation: (H, W) class map; grey where it is not annotated.
        prediction: (H, W) class map.

    Returns:
        (h, 3 w + gaps, 3) uint8, each picture at most `PANEL_PX` high and wide.
    """
    step = -(-max(image.shape) // PANEL_PX)
    small = image[::step, ::step]
    grey = np.repeat(255.0 * small[..., None], 3, axis=-1)
    pictures = [
        grey,
        _color(grey, annotation[::step, ::step]),
        _color(grey, prediction[::step, ::step]),
    ]
    gap = np.full((small.shape[0], GAP_PX, 3), 255.0)
    row = np.concatenate(
        [pictures[0], gap, pictures[1], gap, pictures[2]], axis=1, dtype=np.float64
    )
    return np.round(row).astype(np.uint8)


def _color(grey: NDArray[Any], class_map: ClassMap) -> NDArray[Any]:
    """Lay the classes' colors over a picture (H, W, 3); the matrix stays."""
    colors = COLORS[(class_map - 1) % len(COLORS)]
    colors = np.where(
        (class_map == NOT_ANNOTATED)[..., None], NOT_ANNOTATED_COLOR, colors
    )
    mixed = (1.0 - OPACITY) * grey + OPACITY * colors
    return np.where((class_map != 0)[..., None], mixed, grey)
