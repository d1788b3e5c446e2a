"""Masks in colors: one color for each class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap
from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import errors_that_name, read_frame

_SHOWN = 4


def read_color_map(
    path: Path, colors: Sequence[str], *, tolerance: int = 0
) -> ClassMap:
    """Read a mask in colors as a class map.

    Smooth edges hold colors between two classes; they are refused, unless a
    tolerance says how far from the color of its class a pixel may be.

    Args:
        path: PNG or TIFF in colors, or with a palette.
        colors: "#rrggbb" of each class in the order of the index, matrix first.
        tolerance: Largest difference in red, green or blue, from 0 to 255; the
            nearest color wins.

    Returns:
        (H, W) int32 class indices.

    Raises:
        MicrographError: When the file cannot be read, a color is no color, or
            pixels have another one.
    """
    known = np.array([_parse(color) for color in colors], dtype=np.int16)
    frame = read_frame(path)
    with errors_that_name(path):
        pixels = frame.pixels if frame.palette is None else frame.palette[frame.pixels]
        if pixels.ndim == 2:
            pixels = np.stack([pixels] * 3, axis=-1)
        if pixels.dtype != np.uint8:
            raise MicrographError(
                f"a mask in colors must have 8 bits. Received: {pixels.dtype}."
            )
        found, index = np.unique(
            pixels[..., :3].reshape(-1, 3), axis=0, return_inverse=True
        )
        apart = np.abs(found.astype(np.int16)[:, None] - known).max(axis=-1)
        _require_near(found, apart.min(axis=1), index, tolerance)
        nearest = apart.argmin(axis=1).astype(np.int32)
        class_map: ClassMap = nearest[index].reshape(pixels.shape[:2])
        return class_map


def _require_near(
    found: NDArray[np.uint8],
    apart: NDArray[np.int16],
    index: NDArray[np.int64],
    tolerance: int,
) -> None:
    """Refuse colors that are of no class."""
    strange = apart > tolerance
    if strange.any():
        count = int(np.count_nonzero(strange[index.ravel()]))
        shown = ", ".join(_write(color) for color in found[strange][:_SHOWN])
        raise MicrographError(
            f"must hold the colors of the classes. Received: {count} pixels of "
            f"{int(strange.sum())} other colors, such as {shown}; the farthest is "
            f"{int(apart.max())} levels away. Correct `colors`, or set "
            "`color_tolerance` where edges are smooth."
        )


def _parse(color: str) -> tuple[int, ...]:
    digits = color.removeprefix("#")
    try:
        if len(digits) != 6:
            raise ValueError
        return tuple(bytes.fromhex(digits))
    except ValueError:
        raise MicrographError(
            f"A color must be written as '#ff0000'. Received: {color!r}."
        ) from None


def _write(color: NDArray[np.uint8]) -> str:
    return "#" + bytes(color.tolist()).hex()
