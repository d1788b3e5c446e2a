"""The pixels of a TIFF page.

tifffile reads pixels that are not compressed. Compressed pages are decoded by libtiff,
which fills a buffer of known size and so cannot be made to inflate without bounds:
pages of 8 bit by that in Pillow, of which OpenCV hides damage, and others, of which
Pillow knows few, by that in OpenCV. Both turn a page as its tag Orientation wants; that
is turned back, since masks have no such tag and lie on the pixels as they are stored.
"""

import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from defectkeras.core.errors import MicrographError
from defectkeras.core.native_stderr import held_back_stderr
from defectkeras.micrographs.tiff_strips import require_whole_strips

NO_COMPRESSION, PALETTE = 1, 3  # TIFF 6.0
_MIN_IS_WHITE = 0
_CHANNELS_TOGETHER = 1
_ORIENTATION = 274
_OF_LIBTIFF = (5, 7, 8, 32773, 32946)  # LZW, JPEG, deflate, PackBits, old deflate
"""What each libtiff decodes; of others OpenCV gives pages of zeros."""

_OF_IMAGECODECS = (34925, 50000)  # LZMA, Zstandard
"""What imagecodecs decodes into a buffer of known size (extra `montages`)."""

_STDERR = threading.Lock()  # there is one, of all threads

_TURN_BACK: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda shown: shown[:, ::-1],
    3: lambda shown: shown[::-1, ::-1],
    4: lambda shown: shown[::-1],
    5: lambda shown: shown.swapaxes(0, 1),
    6: lambda shown: np.rot90(shown),
    7: lambda shown: shown[::-1, ::-1].swapaxes(0, 1),
    8: lambda shown: np.rot90(shown, -1),
}
"""Orientation to what leads from the page as it is shown to the page as stored."""


def decode_page(path: Path, page: tifffile.TiffPage) -> NDArray[Any]:
    """Give the pixels of a page, bright where the specimen is bright.

    Args:
        path: The file.
        page: A page of it, of known size and type.

    Returns:
        (H, W) or (H, W, C) as stored, whatever its orientation.

    Raises:
        MicrographError: When it is damaged, or of a compression that is not known.
    """
    if page.compression == NO_COMPRESSION:
        pixels = page.asarray(maxworkers=1)
        pixels = np.moveaxis(pixels, 0, -1) if page.axes == "SYX" else pixels
    else:
        pixels = _decode_compressed(path, page)
    # Pillow turns pages round itself.
    is_turned = page.compression in _OF_LIBTIFF and page.dtype == np.uint8
    if page.photometric == _MIN_IS_WHITE and not is_turned:
        pixels = ~pixels if pixels.dtype.kind in "bu" else -pixels
    return pixels


def _decode_compressed(path: Path, page: tifffile.TiffPage) -> NDArray[Any]:
    """Decode one page with what knows its compression and its type."""
    is_together = page.samplesperpixel == 1 or page.planarconfig == _CHANNELS_TOGETHER
    pixels = np.empty(0)
    if page.compression in _OF_LIBTIFF and is_together:
        require_whole_strips(path, page)
        is_8_bit = page.dtype == np.uint8 or page.photometric == PALETTE
        decode = _decode_with_pillow if is_8_bit else _decode_with_opencv
        pixels = _turned_back(decode(path, page.index), page)
    elif page.compression in _OF_IMAGECODECS and is_together and _has_imagecodecs():
        pixels = page.asarray(maxworkers=1)
    if (pixels.shape, pixels.dtype) != (page.shape, page.dtype):
        install = (
            " Or run pip install 'defectkeras[montages]', which reads it."
            if page.compression in _OF_IMAGECODECS and not _has_imagecodecs()
            else ""
        )
        raise MicrographError(
            "must be uncompressed, or of a compression that libtiff reads. Received: "
            f"{getattr(page.compression, 'name', page.compression)}, or a damaged "
            f"file. Save it uncompressed.{install}"
        )
    return pixels


def _has_imagecodecs() -> bool:
    return find_spec("imagecodecs") is not None


def _decode_with_pillow(path: Path, index: int) -> NDArray[Any]:
    """Decode one page quietly; empty where it cannot."""
    told = OSError, SyntaxError
    try:
        with (
            _STDERR,
            held_back_stderr(*told),
            path.open("rb") as file,
            TiffImageFile(file) as image,
        ):
            image.seek(index)
            return np.asarray(image)
    except told:
        return np.empty(0)


def _decode_with_opencv(path: Path, index: int) -> NDArray[Any]:
    """Decode one page quietly, with red before green; empty where it cannot."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        _, pages = cv2.imreadmulti(
            str(path), start=index, count=1, flags=cv2.IMREAD_UNCHANGED
        )
    finally:
        cv2.utils.logging.setLogLevel(level)
    if not pages:
        return np.empty(0)
    has_color = pages[0].ndim == 3
    return pages[0][..., [2, 1, 0, 3][: pages[0].shape[2]]] if has_color else pages[0]


def _turned_back(shown: NDArray[Any], page: tifffile.TiffPage) -> NDArray[Any]:
    """Give the pixels as stored."""
    turn = _TURN_BACK.get(page.tags.valueof(_ORIENTATION, default=1))
    return turn(shown) if turn else shown


def palette_of_page(page: tifffile.TiffPage) -> NDArray[Any] | None:
    """Give the (N, 3) colors of a palette page, 16 bit each; else None."""
    if page.photometric != PALETTE or page.colormap is None:
        return None
    return np.asarray(page.colormap).T
