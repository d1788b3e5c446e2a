"""How many pixels a request asks about, told before anything is decoded or computed.

A network needs hundreds of bytes for each pixel, and a file of a few kilobytes can hold
millions of them.
"""

import contextlib
import io
import math
from typing import Any

from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from defectkeras.serving.servable import Tensors
from defectkeras.serving.status import Code, StatusError

_PLUGINS = (PngImageFile, JpegImageFile, BmpImageFile, WebPImageFile)
"""Of the files that the graph reads; it refuses GIF."""

_OTHER_COMMAS = 1_000


def count_pixels(inputs: Tensors) -> int:
    """Count the pixels of all images.

    Args:
        inputs: By name: images (N, H, W, 1), or PNG and JPEG files as `bytes` (N,).

    Raises:
        StatusError: When a file is no image.
    """
    return sum(map(_pixels_of, inputs.values()))


def require_few_numbers(body: bytes, most: int) -> None:
    """Refuse JSON with more numbers than there may be pixels, before it is read.

    A list of one number takes two bytes of JSON and a hundred of memory.

    Raises:
        StatusError: When it has more.
    """
    require_few_pixels(max(0, body.count(b",") - _OTHER_COMMAS), most)


def require_few_pixels(pixels: int, most: int) -> None:
    """Refuse a request that asks about too many.

    Raises:
        StatusError: When it does.
    """
    if pixels > most:
        raise StatusError(
            Code.INVALID_ARGUMENT,
            f"A request may have {most} pixels at most but has {pixels}; send tiles",
        )


def _pixels_of(value: NDArray[Any]) -> int:
    if value.dtype != object:
        return math.prod(value.shape[:3])
    return sum(_pixels_in_file(data) for data in value.ravel().tolist())


def _pixels_in_file(data: bytes) -> int:
    """Read the size in the head of a file, nothing else.

    The plugins of Pillow are called directly: its own limit would write a warning.
    """
    for plugin in _PLUGINS:
        errors = contextlib.suppress(OSError, ValueError, SyntaxError)
        with errors, plugin(io.BytesIO(data)) as image:
            return math.prod(image.size)
    raise StatusError(Code.INVALID_ARGUMENT, "A file must be a whole PNG or JPEG image")
