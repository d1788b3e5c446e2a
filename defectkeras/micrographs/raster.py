"""PNG, JPEG and BMP, which know grey levels but no pixel size.

The plugins of Pillow are called directly: the file is then never tried as one
of Pillow's many other formats, and our own limit of pixels holds instead of
Pillow's, which refuses mosaics of 14000 x 14000.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import check_plane, choose_frame
from defectkeras.micrographs.frame import Frame

_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "F", "P", "RGB", "RGBA")


def read_png(path: Path, frame: int | None, max_pixels: int) -> Frame:
    """Read a PNG file; palette images stay indices."""
    with path.open("rb") as file, PngImageFile(file) as image:
        image.verify()  # the checksums, of which decoding takes no notice
    with path.open("rb") as file, PngImageFile(file) as image:
        return _read(image, frame, max_pixels)


def read_jpeg(path: Path, frame: int | None, max_pixels: int) -> Frame:
    """Read a JPEG file; its EXIF rotation is not applied."""
    with path.open("rb") as file, JpegImageFile(file) as image:
        return _read(image, frame, max_pixels)


def read_bmp(path: Path, frame: int | None, max_pixels: int) -> Frame:
    """Read a BMP file; palette images stay indices."""
    with path.open("rb") as file, BmpImageFile(file) as image:
        return _read(image, frame, max_pixels)


def decode(image: ImageFile.ImageFile) -> NDArray[Any]:
    """Decode an opened image.

    Args:
        image: Of a mode of grey levels, of palette indices or of RGB colors.

    Returns:
        (H, W) or (H, W, C).

    Raises:
        MicrographError: When the mode is another one.
    """
    if image.mode not in _MODES:
        raise MicrographError(
            f"must be grey. Received: color mode {image.mode!r}. Convert it to "
            "grey, or export the raw image."
        )
    return np.asarray(image)


def palette_of(image: Image.Image) -> NDArray[Any] | None:
    """Give the (N, 3) colors of a palette image, else None."""
    colors = image.getpalette("RGB") if image.mode == "P" else None
    return None if colors is None else np.reshape(colors, (-1, 3)).astype(np.uint8)


def _read(image: ImageFile.ImageFile, frame: int | None, max_pixels: int) -> Frame:
    height, width = image.height, image.width
    check_plane((height, width), np.dtype(np.uint8), max_pixels)
    if image.mode != "I;16" and ";16" in str(image.tile[0][3]):
        raise MicrographError(
            "must be grey. Received: 16-bit color, of which only 8 bits could be "
            "read. Save it as 16-bit grey."
        )
    image.seek(choose_frame(getattr(image, "n_frames", 1), frame))
    palette = palette_of(image)
    metadata = {str(k): v for k, v in image.info.items() if isinstance(v, str)}
    return Frame(decode(image), palette=palette, metadata=metadata)
