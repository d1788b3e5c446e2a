"""TIFF files of any size, some rows at a time: strips and tiles are read one by one."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.frame import RowFrame
from defectkeras.micrographs.tiff import open_page
from defectkeras.micrographs.tiff_tags import foil_thickness_nm

MAX_PIXELS = 1 << 40
MAX_PIECE_PX = 1 << 26
"""A strip or tile of more pixels is refused: it must fit into memory."""

_NO_COMPRESSION, _MIN_IS_WHITE, _PALETTE = 1, 0, 3  # TIFF 6.0
_CHANNELS_TOGETHER = 1


@contextlib.contextmanager
def open_tiff_rows(path: Path, frame: int | None) -> Iterator[RowFrame]:
    """Open a TIFF file to read some of its rows at a time.

    Args:
        path: The file, also a BigTIFF, tiled or not, compressed or not.
        frame: Number of the frame, from 0, or None for the only one.
    """
    with open_page(path, frame, MAX_PIXELS) as (file, page, scale, metadata):

        def read_rows(first: int, stop: int) -> NDArray[Any]:
            """Read some rows of the page (H, W) or (H, W, C)."""
            _check_layout(page)  # not before: a small page is read as a whole
            if page.compression == _NO_COMPRESSION and page.is_contiguous:
                pixels = _read_plain(path, file, page, first, stop)
            else:
                pixels = _read_pieces(file, page, first, stop)
            if page.photometric == _MIN_IS_WHITE:
                pixels = ~pixels if pixels.dtype.kind in "bu" else -pixels
            return pixels[..., 0] if page.samplesperpixel == 1 else pixels

        yield RowFrame(
            (page.imagelength, page.imagewidth),
            read_rows,
            scale,
            foil_thickness_nm(metadata),
            metadata,
        )


def _check_layout(page: tifffile.TiffPage) -> None:
    """Check what cannot be read row by row."""
    is_together = page.planarconfig == _CHANNELS_TOGETHER or page.samplesperpixel == 1
    if page.photometric == _PALETTE or not is_together:
        raise MicrographError(
            "must be grey, with the channels of a pixel together, to be read some "
            "rows at a time. Received: a palette, or planes. Save it as a grey image."
        )
    if not any(page.databytecounts):  # some may be left out, not all
        raise MicrographError(
            "must hold pixels. Received: a header without any. Copy the file again."
        )
    piece_px = page.chunks[-3] * page.chunks[-2] if len(page.chunks) > 2 else 0
    piece_px = piece_px or math.prod(page.chunks[:2])
    if piece_px > MAX_PIECE_PX and page.compression != _NO_COMPRESSION:
        raise MicrographError(
            f"must be stored in strips or tiles of at most {MAX_PIECE_PX} pixels to be "
            f"read some rows at a time. Received: {piece_px}. Save it tiled."
        )


def _read_plain(
    path: Path, file: tifffile.TiffFile, page: tifffile.TiffPage, first: int, stop: int
) -> NDArray[Any]:
    """Read rows (h, W, C) of a page that is one stretch of the file."""
    dtype = np.dtype(page.dtype).newbyteorder(file.byteorder)
    row = page.imagewidth * page.samplesperpixel
    values = np.fromfile(
        path,
        dtype,
        count=(stop - first) * row,
        offset=page.dataoffsets[0] + first * row * dtype.itemsize,
    )
    rows = values.reshape(stop - first, page.imagewidth, page.samplesperpixel)
    return rows.astype(dtype.newbyteorder("="), copy=False)


def _read_pieces(
    file: tifffile.TiffFile, page: tifffile.TiffPage, first: int, stop: int
) -> NDArray[Any]:
    """Read rows (h, W, C) from the strips or tiles that they lie in."""
    height, width = page.imagelength, page.imagewidth
    tall, wide = (
        (page.tilelength, page.tilewidth)
        if page.is_tiled
        else (min(page.rowsperstrip, height), width)
    )
    across = -(-width // wide)
    rows = np.zeros((stop - first, width, page.samplesperpixel), page.dtype)
    for number in range(first // tall * across, -(-stop // tall) * across):
        data = None
        if page.databytecounts[number]:  # else it was left out: zeros
            file.filehandle.seek(page.dataoffsets[number])
            data = file.filehandle.read(page.databytecounts[number])
        piece, _, _ = page.decode(data, number)
        if piece is None:
            continue
        top, left = number // across * tall, number % across * wide
        low, high = max(top, first), min(top + tall, stop)
        if low < high:
            part = piece.reshape(-1, *piece.shape[-2:])[low - top : high - top]
            end = min(left + wide, width)  # tiles reach beyond the image
            rows[low - first : high - first, left:end] = part[:, : end - left]
    return rows
