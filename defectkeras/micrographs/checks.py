"""What must hold for every micrograph, whatever its format.

Messages begin with "must"; `read.py` puts the name of the file before them.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import Image
from defectkeras.core.errors import MicrographError
from defectkeras.core.plurals import counted
from defectkeras.micrographs.frame import Frame

MAX_PIXELS = 2**28
"""Frames of more pixels are refused before they are decoded (1 GiB float32)."""

CHOOSE_FRAME = "Choose one with analyze --frame, from 0"

_MAX_NAMES = 8  # frames named in a message


def require_file(path: Path) -> None:
    """Check that there is a file.

    Raises:
        MicrographError: When there is a folder, or nothing.
    """
    if not path.is_file():
        received = "nothing of this name"
        if path.is_dir():
            received = "a folder. Give one of the files in it"
        elif path.is_symlink():
            received = "a link that leads nowhere"
        raise MicrographError(f"must be a file. Received: {received}.")


def choose_frame(count: int, frame: int | None, *, names: Sequence[str] = ()) -> int:
    """Give the number of the frame to read.

    Args:
        count: How many frames the file has.
        frame: What the user asked for, from 0, or None.
        names: What the frames are, for the message.

    Returns:
        From 0 to `count - 1`.

    Raises:
        MicrographError: When the file has no frame, or several and none was
            chosen, or not this one.

    Example:
        >>> choose_frame(3, 2), choose_frame(1, None)
        (2, 0)
    """
    if count < 1:
        raise MicrographError("must hold an image. Received: no frame.")
    if frame is None and count == 1:
        return 0
    if frame is not None and 0 <= frame < count:
        return frame
    listed = [f"{i} {name}" for i, name in enumerate(names[:_MAX_NAMES])]
    listed += ["..."] if len(names) > _MAX_NAMES else []
    told = f" ({', '.join(listed)})" if names else ""
    asked = "" if frame is None else f", and frame {frame} was asked for"
    raise MicrographError(
        f"must be read one frame at a time. Received: {count} frames{told}{asked}. "
        f"{CHOOSE_FRAME} to {count - 1}, or save it as a file of its own."
    )


def require_lossless(path: Path) -> None:
    """Refuse an annotation in a format that changes its values.

    Raises:
        MicrographError: When the suffix is that of a JPEG.
    """
    if path.suffix.lower() in (".jpg", ".jpeg"):
        raise MicrographError(
            f"{path}: must be stored without loss. Received: a JPEG, which blurs "
            "the values. Save the annotation as PNG."
        )


def check_plane(shape: Sequence[int], dtype: np.dtype[Any], max_pixels: int) -> None:
    """Check size and type of a frame, as its header tells them.

    Args:
        shape: (H, W) or (H, W, C) in pixels.
        dtype: Type of the values.
        max_pixels: The most pixels H * W.

    Raises:
        MicrographError: When it is no image, is empty, is too large, or has
            values that are not real numbers.
    """
    if len(shape) not in (2, 3):
        raise MicrographError(
            "must be an image with rows and columns. Received: "
            f"{len(shape)} axes of shape {tuple(shape)}, such as a spectrum."
        )
    height, width = shape[:2]
    if height < 1 or width < 1:
        raise MicrographError(
            f"must have at least one pixel. Received: {height} x {width}."
        )
    if height * width > max_pixels:
        raise MicrographError(
            f"must have at most {max_pixels} pixels. Received: {height} x {width}. "
            "Cut it into pieces or bin it."
        )
    if dtype.kind == "c" or dtype.names is not None:
        raise MicrographError(
            "must have real values. Received: complex data, such as a Fourier "
            "transform or an exit wave. Export its modulus or phase as an image."
        )
    if dtype.kind not in "biuf":
        raise MicrographError(f"must have numbers as values. Received: type {dtype}.")


def to_grey(frame: Frame) -> NDArray[Any]:
    """Give the grey levels of a frame.

    Args:
        frame: With pixels (H, W) or (H, W, C).

    Returns:
        (H, W) in the type of the file.

    Raises:
        MicrographError: When it has color, or parts that are transparent.
    """
    pixels = frame.pixels
    if frame.palette is not None:
        pixels = _look_up(pixels, frame.palette)
    if pixels.ndim == 2:
        return pixels
    channels = pixels.shape[2]
    has_alpha = channels in (2, 4)
    if has_alpha and not _is_constant(pixels[..., -1]):
        raise MicrographError(
            "must be opaque. Received: an alpha channel that is not constant. "
            "Save it as a grey image."
        )
    grey: NDArray[Any] = pixels[..., 0]
    others = range(1, channels - has_alpha)
    if channels > 4 or not all(np.array_equal(grey, pixels[..., c]) for c in others):
        raise MicrographError(
            f"must be grey. Received: {channels} channels that differ, as in a "
            "color image. Convert it to grey, or export the raw image."
        )
    return grey


def to_floats(pixels: NDArray[Any]) -> Image:
    """Give the grey levels as finite float32.

    Args:
        pixels: (H, W) real numbers.

    Returns:
        (H, W) float32; the same array when it is one already.

    Raises:
        MicrographError: When a value is NaN, infinite or beyond float32.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        floats = np.ascontiguousarray(pixels, dtype=np.float32)
    low, high = float(floats.min()), float(floats.max())  # NaN goes through both
    if not (math.isfinite(low) and math.isfinite(high)):
        count = int(np.count_nonzero(~np.isfinite(floats)))
        wrong = counted(count, "pixel")
        raise MicrographError(
            f"must have finite values. Received: {wrong} NaN, infinite or beyond "
            "float32. Replace them."
        )
    return floats


def _look_up(indices: NDArray[Any], palette: NDArray[Any]) -> NDArray[Any]:
    """Give the colors (H, W, 3), or (H, W) grey levels of a grey palette."""
    if int(indices.max()) >= len(palette):
        raise MicrographError(
            "must have a color for each index. Received: index "
            f"{int(indices.max())} and a palette of {len(palette)} colors."
        )
    used = palette[: int(indices.max()) + 1]
    is_grey = bool((used == used[:, :1]).all())
    colors = palette[:, 0] if is_grey else palette
    return np.asarray(colors[indices])


def _is_constant(values: NDArray[Any]) -> bool:
    return bool((values == values.flat[0]).all())
