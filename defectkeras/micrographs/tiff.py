"""TIFF: the page of a frame, what it measures, and its pixels.

Only pages are read, never "series", since these may open other files that an
OME-XML names.
"""

import contextlib
import logging
import struct
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeAlias

import tifffile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import CHOOSE_FRAME, check_plane
from defectkeras.micrographs.frame import Frame, Scale
from defectkeras.micrographs.raw import require_bytes
from defectkeras.micrographs.tiff_pixels import (
    NO_COMPRESSION,
    PALETTE,
    decode_page,
    palette_of_page,
)
from defectkeras.micrographs.tiff_tags import (
    find_scale,
    foil_thickness_nm,
    instrument_metadata,
)

_MOST_OF_IMAGE = 2 / 3  # that a thumbnail, or a level of a pyramid, has of it
_KNOWN_PHOTOMETRIC = (0, 1, 2, 3, 6)  # white or black is 0, RGB, palette, YCbCr

# A damaged file gets one line from us, not others on the terminal as well.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def read_tiff(path: Path, frame: int | None, max_pixels: int) -> Frame:
    """Read one page of a TIFF file.

    Thumbnails before the first image, and pages of another size or type than it
    (copies with the scale bar burnt in), are no frames.
    """
    with open_page(path, frame, max_pixels) as (_, page, scale, metadata):
        if page.compression == NO_COMPRESSION:
            require_bytes(path, page.nbytes)
        return Frame(
            pixels=decode_page(path, page),
            scale=scale,
            palette=palette_of_page(page),
            foil_thickness_nm=foil_thickness_nm(metadata),
            metadata=metadata,
        )


OpenPage: TypeAlias = tuple[
    tifffile.TiffFile, tifffile.TiffPage, Scale | None, dict[str, Any]
]
"""A file, a page of it, its pixel sizes, and what the file tells."""


@contextlib.contextmanager
def open_page(path: Path, frame: int | None, max_pixels: int) -> Iterator[OpenPage]:
    """Open a file at the page of a frame, and check its size and type.

    Args:
        path: The file.
        frame: Number of the frame, from 0, or None for the only one.
        max_pixels: Larger pages are refused.

    Raises:
        MicrographError: When there is no such page, or it is no image.
    """
    with tifffile.TiffFile(path) as file:
        if next(iter(file.pages), None) is None:
            raise MicrographError(
                "must hold an image. Received: a TIFF file without a page. It may be "
                "truncated; copy it again."
            )
        # Vendors describe all pages in the first, but a thumbnail only itself.
        tags = next(_frames(file), file.pages.first)
        metadata = instrument_metadata(tags)
        _refuse_single_page_stack(file, metadata)
        page = _choose_page(file, frame)
        _check_page(page, max_pixels)
        yield file, page, find_scale(tags, metadata), metadata


def _choose_page(file: tifffile.TiffFile, frame: int | None) -> tifffile.TiffPage:
    """Give the page of a frame; several pages alike need a number."""
    first = max(frame or 0, 0)
    chosen = list(islice(_frames(file), first, first + 2))
    if not chosen or first != (frame or 0):
        raise MicrographError(
            f"must have frame {frame or 0}. Received: {len(file.pages)} pages. "
            f"{CHOOSE_FRAME}."
        )
    if frame is None and len(chosen) > 1:
        raise MicrographError(
            "must be read one frame at a time. Received: a stack in "
            f"{len(file.pages)} pages. {CHOOSE_FRAME}, or save it as a file of its own."
        )
    if frame is None:
        _refuse_cut_off(file)
    return chosen[0]


def _refuse_cut_off(file: tifffile.TiffFile) -> None:
    """Refuse a stack that was copied as far as its first page."""
    handle, tiff, place = file.filehandle, file.tiff, file.pages.next_page_offset
    if place is None:
        return
    handle.seek(place)
    (following,) = struct.unpack(tiff.offsetformat, handle.read(tiff.offsetsize))
    if following >= handle.size:
        raise MicrographError(
            f"must be whole. Received: {handle.size} bytes, where the next page would "
            f"begin at byte {following}. It may be truncated; copy it again."
        )


def _frames(file: tifffile.TiffFile) -> Iterator[tifffile.TiffPage]:
    """Give the pages that are no thumbnails and are like the first of them."""
    pages = (
        page
        for page in file.pages
        if isinstance(page, tifffile.TiffPage) and not page.is_reduced
    )
    first, following = next(pages, None), next(pages, None)
    while first and following and _is_thumbnail(first, following):
        first, following = following, next(pages, None)
    if first is None:
        return
    yield first
    for page in chain([following] if following else [], pages):
        if page.offset == first.offset:
            return  # a damaged file whose last page refers back
        if (page.shape, page.dtype) == (first.shape, first.dtype):
            yield page


def _is_thumbnail(page: tifffile.TiffPage, following: tifffile.TiffPage) -> bool:
    """Say whether a page is so much smaller than the next, on both axes."""
    return (
        _MOST_OF_IMAGE * following.imagelength >= page.imagelength
        and _MOST_OF_IMAGE * following.imagewidth >= page.imagewidth
    )


def _check_page(page: tifffile.TiffPage, max_pixels: int) -> None:
    """Check size and type before decoding."""
    if page.dtype is None or (
        page.bitspersample != 8 * page.dtype.itemsize and page.photometric != PALETTE
    ):
        raise MicrographError(
            f"must have values of 8, 16 or 32 bit. Received: {page.bitspersample} "
            "bit. Save it as 8- or 16-bit grey."
        )
    if page.photometric not in _KNOWN_PHOTOMETRIC:
        raise MicrographError(
            "must be grey. Received: color space "
            f"{getattr(page.photometric, 'name', page.photometric)}. "
            "Export the raw image."
        )
    if page.imagedepth > 1:
        raise MicrographError(
            f"must be one image. Received: a volume of {page.imagedepth} planes in "
            "one page. Save the plane as a file of its own."
        )
    shape = (page.imagelength, page.imagewidth)
    check_plane(shape, page.dtype, max_pixels)
    if page.samplesperpixel > 4:
        raise MicrographError(
            f"must be grey. Received: {page.samplesperpixel} channels. "
            "Save the channel as a file of its own."
        )


def _refuse_single_page_stack(
    file: tifffile.TiffFile, metadata: dict[str, Any]
) -> None:
    """Refuse ImageJ's stacks over 4 GB, of which the pages tell one frame."""
    images = metadata.get("images", 1)
    if file.is_imagej and images != 1 and len(file.pages) == 1:
        raise MicrographError(
            f"must be read one frame at a time. Received: an ImageJ stack of {images} "
            "frames in one page. Save the frame as a file of its own."
        )
