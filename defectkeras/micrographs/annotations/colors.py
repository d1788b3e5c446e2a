"""Masks in colors: one color for each class."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap
from defectkeras.core.errors import MicrographError
from defectkeras.core.plurals import counted
from defectkeras.micrographs.checks import require_lossless
from defectkeras.micrographs.frame import Frame
from defectkeras.micrographs.read import errors_that_name, read_frame

_SHOWN = 4
_MANY = 16  # nobody draws more classes than this
_WHY_MANY = (
    " So many colors come of smooth edges, or of JPEG, also where the picture was "
    "saved as PNG later."
)


def read_color_map(
    path: Path, colors: Sequence[str], *, num_classes: int, tolerance: int = 0
) -> ClassMap:
    """Read a mask in colors as a class map.

    Smooth edges hold colors between two classes; they are refused, unless a
    tolerance says how far from the color of its class a pixel may be.

    Args:
        path: PNG or TIFF in colors, or with a palette.
        colors: "#rrggbb" of each class in the order of the index, matrix first.
        num_classes: How many there must be.
        tolerance: Largest difference in red, green or blue, from 0 to 255; the
            nearest color wins.

    Returns:
        (H, W) int32 class indices.

    Raises:
        MicrographError: When the file cannot be read, a color is no color, or
            pixels have another one.
    """
    known = np.array([parse_color(color) for color in colors], dtype=np.int16)
    require_lossless(path)
    frame = read_frame(path)
    with errors_that_name(path):
        if len(known) != num_classes:
            raise MicrographError(
                f"must be read with {num_classes} colors, one for each class, that of "
                f"the matrix first. Given: {len(known)}. {describe_colors(frame)}"
            )
        found, index, counts = _find_colors(frame)
        apart = np.abs(found.astype(np.int16)[:, None] - known).max(axis=-1)
        _require_near(found, counts, apart.min(axis=1), tolerance)
        class_map: ClassMap = apart.argmin(axis=1).astype(np.int32)[index]
        return class_map


def parse_color(text: str) -> tuple[int, ...]:
    """Give red, green and blue, each from 0 to 255.

    Args:
        text: As "#ff0000".

    Raises:
        MicrographError: When it is no color.
    """
    digits = text.removeprefix("#")
    try:
        if len(digits) != 6:
            raise ValueError
        return tuple(bytes.fromhex(digits))
    except ValueError:
        raise MicrographError(
            f"A color must be written as '#ff0000'. Received: {text!r}."
        ) from None


def is_colored(frame: Frame) -> bool:
    """Say whether a frame of 8 bits has channels of color that differ."""
    pixels = frame.pixels
    has_channels = pixels.ndim == 3 and pixels.shape[2] in (3, 4)
    is_8_bit = pixels.dtype == np.uint8
    return bool(has_channels and is_8_bit and np.ptp(pixels[..., :3], axis=-1).any())


def holds_colors(path: Path) -> bool:
    """Say whether a mask is a picture in colors.

    Args:
        path: PNG, BMP, TIFF or .npy.

    Raises:
        MicrographError: When it cannot be read.
    """
    return path.suffix.lower() != ".npy" and is_colored(read_frame(path))


def count_colors(paths: Iterable[Path]) -> dict[str, int]:
    """Count the pixels of each color of masks that have one for each class.

    Args:
        paths: PNG, BMP or TIFF.

    Returns:
        "#rrggbb" to pixels, the most frequent first.

    Raises:
        MicrographError: When a file cannot be read, is none of lossless compression,
            there is one color alone, or there are more than classes, as of smooth
            edges, or where each object has its own.
    """
    total: Counter[str] = Counter()
    for path in paths:
        require_lossless(path)
        frame = read_frame(path)
        with errors_that_name(path):
            found, _, counts = _find_colors(frame)
            if len(found) > _MANY:
                raise MicrographError(
                    "must have one color for each class. Received: "
                    f"{_listed(found, counts)}. Save it without smooth edges, or write "
                    "`colors` and `color_tolerance` into the data spec by hand "
                    "(docs/data_specs.md)."
                )
            total.update(dict(zip(map(_hex, found), counts.tolist(), strict=True)))
    if len(total) == 1:
        raise MicrographError(
            "Masks in colors must have two at least, that of the matrix and that of a "
            f"class. Received: {next(iter(total))} alone."
        )
    if len(total) > _MANY:
        raise MicrographError(
            "Masks in colors must have one for each class. Received: "
            f"{len(total)} colors, as where each object has its own. Save the numbers "
            "of objects as PNG or TIFF of one channel (docs/data_specs.md)."
        )
    return dict(total.most_common())


def describe_colors(frame: Frame) -> str:
    """Say in an error which colors a picture holds, and how to have them read.

    Args:
        frame: With 8 bits.
    """
    found, _, counts = _find_colors(frame)
    return (
        f"Received: a picture in colors, {_listed(found, counts)}. Where each class "
        'has its color, use encoding = "colors" and give the colors in the order of '
        f"the classes.{_WHY_MANY if len(found) > _MANY else ''}"
    )


def _find_colors(
    frame: Frame,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Give the colors (N, 3), which of them each pixel (H, W) has, and how many do."""
    pixels: NDArray[Any] = frame.pixels
    if frame.palette is not None:
        pixels = frame.palette[pixels]
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=-1)
    if pixels.dtype != np.uint8:
        raise MicrographError(
            f"a mask in colors must have 8 bits. Received: {pixels.dtype}."
        )
    red, green, blue = (pixels[..., c].astype(np.uint32) for c in range(3))
    codes, index, counts = np.unique(
        red << 16 | green << 8 | blue, return_inverse=True, return_counts=True
    )
    found = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)
    return found.astype(np.uint8), index.reshape(pixels.shape[:2]), counts


def _require_near(
    found: NDArray[np.uint8],
    counts: NDArray[np.int64],
    apart: NDArray[np.int16],
    tolerance: int,
) -> None:
    """Refuse colors that are of no class."""
    strange = apart > tolerance
    if strange.any():
        pixels = counted(counts[strange].sum(), "pixel")
        raise MicrographError(
            "must hold the colors of the classes. Received: "
            f"{pixels} of other colors, up to {apart.max()} "
            f"levels away: {_listed(found[strange], counts[strange])}. Correct "
            "`colors`, or set `color_tolerance` where edges are smooth."
            f"{_WHY_MANY if strange.sum() > _MANY else ''}"
        )


def _listed(found: NDArray[np.uint8], counts: NDArray[np.int64]) -> str:
    """Name the most frequent colors."""
    order = np.argsort(-counts, kind="stable")[:_SHOWN]
    shown = [f"{_hex(found[i])} ({counted(counts[i], 'pixel')})" for i in order]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {more} more colors" if more else "")


def _hex(color: NDArray[np.uint8]) -> str:
    return f"#{color.tobytes().hex()}"
