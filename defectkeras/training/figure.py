"""From a matplotlib figure to the pixels that a log holds."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

DPI = 100


def new_figure(size_px: tuple[int, int]) -> Figure:
    """Give an empty figure of (rows, columns) pixels."""
    rows, columns = size_px
    return Figure(figsize=(columns / DPI, rows / DPI), dpi=DPI, layout="constrained")


def to_pixels(figure: Figure) -> NDArray[np.uint8]:
    """Draw a figure to (H, W, 3) uint8."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return pixels[..., :3].copy()
