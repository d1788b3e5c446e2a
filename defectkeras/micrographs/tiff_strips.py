"""Whether the strips and tiles of a TIFF page are whole, where that can be told.

A strip of deflate ends in a checksum, and one of PackBits tells its length. libtiff
looks at neither: it stops as soon as a strip has given the pixels that belong in it.
"""

import zlib
from collections.abc import Callable
from pathlib import Path

import tifffile

from defectkeras.core.errors import MicrographError

_STEP = 1 << 20  # bytes that are unpacked at a time
_YCBCR = 6  # its strips may have fewer bytes than their pixels


def require_whole_strips(path: Path, page: tifffile.TiffPage) -> None:
    """Check that each strip unpacks to the pixels that belong in it.

    Args:
        path: The file.
        page: A compressed page of it, with the channels of a pixel together.

    Raises:
        MicrographError: When a strip of deflate or PackBits does not.
    """
    unpacked_size = _UNPACKED_SIZE.get(page.compression)
    if unpacked_size is None or page.photometric == _YCBCR:
        return
    places = zip(page.dataoffsets, page.databytecounts, strict=True)
    with path.open("rb") as file:
        for number, (offset, count) in enumerate(places):
            least, most = _sizes(page, number)
            file.seek(offset)
            size = unpacked_size(file.read(count), most)
            if count and not least <= size <= most:  # else it was left out
                raise MicrographError(
                    f"must be whole. Received: strip {number}, which does not unpack "
                    f"to its {least} bytes. The file is damaged; copy it again."
                )


def _sizes(page: tifffile.TiffPage, number: int) -> tuple[int, int]:
    """Give the bytes that a strip or tile has at least, and at most.

    The last strip may be as high as the others, and reach below the image.
    """
    height, width = page.imagelength, page.imagewidth
    rows = min(page.rowsperstrip, height)
    if page.is_tiled:
        rows, width = page.tilelength, page.tilewidth
    row_bytes = -(-width * page.samplesperpixel * page.bitspersample // 8)
    inside = rows if page.is_tiled else min(rows, height - number * rows)
    return inside * row_bytes, rows * row_bytes


def _inflated_size(data: bytes, most: int) -> int:
    """Give how many bytes deflate unpacks to; -1 where it is damaged or has more."""
    stream, size = zlib.decompressobj(), 0
    try:
        while not stream.eof and size <= most:
            part = stream.decompress(data, _STEP)
            data = stream.unconsumed_tail
            size += len(part)
            if not (part or data):
                break
    except zlib.error:
        return -1
    return size if stream.eof else -1


def _unpackbits_size(data: bytes, most: int) -> int:
    """Give how many bytes PackBits unpacks to; -1 where its last run is cut off.

    A byte may follow that makes the length even.
    """
    size = at = 0
    while at < len(data) and size < most:
        head = data[at]
        is_literal = head < 128  # 128 stands for nothing
        size += head + 1 if is_literal else (257 - head) * (head > 128)
        at += head + 2 if is_literal else 1 + (head > 128)
    return size if len(data) - 1 <= at <= len(data) else -1


_UNPACKED_SIZE: dict[int, Callable[[bytes, int], int]] = {
    8: _inflated_size,
    32946: _inflated_size,
    32773: _unpackbits_size,
}
"""Compression to what tells the size of a strip, of its bytes and the most it has."""
