"""DM4 of Gatan's DigitalMicrograph; the tags by `dm4`, the pixels directly."""

from pathlib import Path
from typing import Any, BinaryIO, cast

import dm4
import numpy as np

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import check_plane, choose_frame
from defectkeras.micrographs.frame import Frame, Scale
from defectkeras.micrographs.raw import read_raw

_DTYPES = {  # ImageData.DataType to NumPy
    1: "<i2",
    2: "<f4",
    3: "<c8",
    6: "<u1",
    7: "<i4",
    9: "<i1",
    10: "<u2",
    11: "<u4",
    12: "<f8",
    13: "<c16",
}
_ARRAY_HEADER_BYTES = 4 + 8 + 3 * 8  # "%%%%", how many numbers describe it, these
_TAG_MARK = b"%%%%"


class _GuardedFile:
    """A file that refuses a tag with more numbers than the file has bytes.

    `dm4` makes a format text as long as the count that follows the mark of a
    tag, so a damaged count would fill the memory.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size, self._after_mark = file, size, False
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, count: int) -> bytes:
        data = self._file.read(count)
        if self._after_mark and int.from_bytes(data, "big") > self._size:
            raise MicrographError(
                "must be a whole DM4 file. Received: a damaged tag. Copy it again."
            )
        self._after_mark = data == _TAG_MARK
        return data


def read_dm4(path: Path, frame: int | None, max_pixels: int) -> Frame:
    """Read the image of a DM4 file that its window shows, not its thumbnail."""
    size = path.stat().st_size
    with path.open("rb") as file:
        document = dm4.DM4File(cast("BinaryIO", _GuardedFile(file, size)))
        if document.header.version != 4 or not document.header.little_endian:
            raise MicrographError(
                "must be a little-endian DM4 file. Received: version "
                f"{document.header.version}. Save it again with DigitalMicrograph."
            )
        image = _shown_image(document, document.read_directory())
        tags = _as_dict(document, image)
    data = image.named_subdirs["ImageData"].named_tags["Data"]
    widths = tags["ImageData"]["Dimensions"]
    shape = tuple(int(n) for n in reversed(widths))  # x is first in the file
    _refuse_spectrum(tags, shape)
    dtype = _dtype(tags["ImageData"]["DataType"])
    plane = shape[-2], shape[-1]
    index = choose_frame(int(np.prod(shape[:-2], dtype=object)), frame)
    check_plane(plane, dtype, max_pixels)
    frame_bytes = plane[0] * plane[1] * dtype.itemsize
    offset = data.data_offset + _ARRAY_HEADER_BYTES + index * frame_bytes
    pixels = read_raw(path, dtype=dtype, shape=plane, offset=offset)
    return Frame(pixels, scale=_scale(tags), metadata=tags.get("ImageTags", {}))


def _shown_image(document: Any, root: Any) -> Any:
    """Give the tags of the image that the first image source refers to."""
    images = root.named_subdirs["ImageList"].unnamed_subdirs
    sources = root.named_subdirs.get("ImageSourceList")
    number = len(images) - 1
    if sources is not None and sources.unnamed_subdirs:
        reference = sources.unnamed_subdirs[0].named_tags.get("ImageRef")
        if reference is not None:
            number = int(document.read_tag_data(reference))
    if not 0 <= number < len(images):
        raise MicrographError(
            f"must hold an image. Received: image {number} of {len(images)}."
        )
    return images[number]


def _as_dict(document: Any, directory: Any) -> dict[str, Any]:
    """Give the tags of a directory as dicts and lists, without the pixels."""
    values: dict[str, Any] = {}
    for name, tag in directory.named_tags.items():
        if name != "Data":
            values[name] = _plain(document.read_tag_data(tag))
    for name, subdirectory in directory.named_subdirs.items():
        unnamed = [document.read_tag_data(t) for t in subdirectory.unnamed_tags]
        unnamed += [_as_dict(document, d) for d in subdirectory.unnamed_subdirs]
        values[name] = unnamed or _as_dict(document, subdirectory)
    return values


def _plain(value: Any) -> Any:
    """Give a text, which is an array of UTF-16 codes in the file, as str."""
    if getattr(value, "typecode", None) == "H":
        return value.tobytes().decode("utf-16-le", errors="replace")
    return value


def _refuse_spectrum(tags: dict[str, Any], shape: tuple[int, ...]) -> None:
    what = tags.get("ImageTags", {}).get("Meta Data", {}).get("Format", "")
    if len(shape) < 2 or str(what).startswith("Spectrum"):
        raise MicrographError(
            f"must be an image. Received: a spectrum of shape {shape}. "
            "Export the image that you mean from DigitalMicrograph."
        )


def _dtype(code: Any) -> np.dtype[Any]:
    if code not in _DTYPES:
        raise MicrographError(
            f"must be grey with real values. Received: DM4 data type {code}, such as "
            "a color image. Save it as an image of real numbers."
        )
    return np.dtype(_DTYPES[code])


def _scale(tags: dict[str, Any]) -> Scale | None:
    calibrations = tags["ImageData"].get("Calibrations", {}).get("Dimension", [])
    if len(calibrations) < 2:
        return None
    columns, rows = calibrations[0], calibrations[1]
    return Scale(
        rows=float(rows["Scale"]),
        columns=float(columns["Scale"]),
        rows_unit=str(rows.get("Units", "")),
        columns_unit=str(columns.get("Units", "")),
        source="DM4 calibration",
    )
