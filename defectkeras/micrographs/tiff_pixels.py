"""The pixels of a TIFF page.

tifffile reads pixels that are not compressed. Compressed pages are decoded by the
libtiff in OpenCV, which fills a buffer of known size and so cannot be made to inflate
without bounds; palettes by Pillow. Both turn a page as its tag Orientation wants; that
is turned back, since masks have no such tag and lie on the pixels as they are stored.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from defectkeras.core.errors import MicrographError

NO_COMPRESSION, PALETTE = 1, 3  # TIFF 6.0
_MIN_IS_WHITE = 0
_CHANNELS_TOGETHER = 1
_ORIENTATION = 274
_OF_LIBTIFF = (5, 7, 8, 32773, 32946)  # LZW, JPEG, deflate, PackBits, old deflate
"""What the libtiff in OpenCV decodes; of others OpenCV gives 8-bit pages of zeros."""

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
    is_compressed = page.compression != NO_COMPRESSION
    if not is_compressed:
        pixels = page.asarray(maxworkers=1)
        pixels = np.moveaxis(pixels, 0, -1) if page.axes == "SYX" else pixels
    elif page.photometric == PALETTE:  # OpenCV would give its colors
        with path.open("rb") as file, TiffImageFile(file) as image:
            image.seek(page.index)
            pixels = _turned_back(np.asarray(image), page)
    else:
        pixels = _decode_compressed(path, page)
    # OpenCV turns 8-bit pages round itself.
    is_turned = is_compressed and page.dtype == np.uint8
    if page.photometric == _MIN_IS_WHITE and not is_turned:
        pixels = ~pixels if pixels.dtype.kind in "bu" else -pixels
    return pixels


def _decode_compressed(path: Path, page: tifffile.TiffPage) -> NDArray[Any]:
    """Decode one page with OpenCV, quietly."""
    # OpenCV mixes up planes of channels that are stored one after the other.
    is_known = page.compression in _OF_LIBTIFF and (
        page.samplesperpixel == 1 or page.planarconfig == _CHANNELS_TOGETHER
    )
    pages = _opencv_pages(path, page.index) if is_known else ()
    pixels = _turned_back(pages[0], page) if pages else np.empty((0, 0))
    expected = (page.imagelength, page.imagewidth), page.dtype
    if (pixels.shape[:2], pixels.dtype) != expected:
        raise MicrographError(
            "must be uncompressed, or of a compression that libtiff reads. Received: "
            f"{getattr(page.compression, 'name', page.compression)}, or a damaged "
            "file. Save it uncompressed."
        )
    return pixels


def _opencv_pages(path: Path, index: int) -> Sequence[NDArray[Any]]:
    """Give a list of one page, or an empty one."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        _, pages = cv2.imreadmulti(
            str(path), start=index, count=1, flags=cv2.IMREAD_UNCHANGED
        )
    finally:
        cv2.utils.logging.setLogLevel(level)
    return pages


def _turned_back(shown: NDArray[Any], page: tifffile.TiffPage) -> NDArray[Any]:
    """Give the pixels as stored."""
    turn = _TURN_BACK.get(page.tags.valueof(_ORIENTATION, default=1))
    return turn(shown) if turn else shown


def palette_of_page(page: tifffile.TiffPage) -> NDArray[Any] | None:
    """Give the (N, 3) colors of a palette page, 16 bit each; else None."""
    if page.photometric != PALETTE or page.colormap is None:
        return None
    return np.asarray(page.colormap).T
