"""What the text beside an image tells, as SEMs of JEOL, Hitachi and TESCAN write it.

JEOL's has the length of the scale bar in px, of the image without the data bar, and in
a unit of length; Hitachi's the pixel size in nm; TESCAN's that in m, also in a tag.
"""

import dataclasses
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.frame import Frame, RowFrame, Scale

_MAX_BYTES = 2**20  # all that is known have some kilobytes
_SUFFIXES = (".txt", ".TXT", ".Txt", ".hdr")
_PAIR = re.compile(r"(\w+)[ \t]*=[ \t]*([^\r\n\0]*)")
_JEOL_PAIR = re.compile(r"^\$+(\w+)[ \t]+(.*?)[ \t\r]*$", re.MULTILINE)
_OF_TESCAN = {"PixelSizeX", "PixelSizeY", "ImageStripSize"}
_LENGTH = re.compile(r"([\d.]+)\s*(nm|um|µm|mm)")

AnyFrame = TypeVar("AnyFrame", Frame, RowFrame)
Shape = tuple[int, ...]


def with_sidecar(path: Path, frame: AnyFrame, shape: Shape) -> AnyFrame:
    """Add what the text beside an image tells, where there is one.

    Args:
        path: The image.
        frame: As read; a pixel size of its own stays.
        shape: (H, W, ...) of the image.

    Returns:
        The frame with the metadata and, unless it is of an image of another width, the
        pixel size.

    Raises:
        MicrographError: When the text cannot be read.
    """
    metadata, name = _told_beside(path)
    if not metadata:
        return frame
    return dataclasses.replace(
        frame,
        scale=frame.scale or scale_of_sem(metadata, shape, name),
        metadata={**frame.metadata, **metadata},
    )


def sidecar_scale(path: Path, shape: Shape) -> Scale | None:
    """Give the pixel size that the text beside an image tells, where there is one.

    Args:
        path: The image.
        shape: (H, W, ...) of the image.

    Raises:
        MicrographError: When the text cannot be read.
    """
    metadata, name = _told_beside(path)
    return scale_of_sem(metadata, shape, name)


def parse_sidecar(text: str) -> dict[str, dict[str, str]]:
    r"""Give the entries of a text under the maker's name.

    Args:
        text: Of a file beside an image, or of a tag.

    Returns:
        Empty where the text is of no known maker.

    Example:
        >>> parse_sidecar("[SemImageFile]\nPixelSize=24.8\n")
        {'Hitachi': {'PixelSize': '24.8'}}
    """
    if "$CM_FORMAT" in text:
        return {"JEOL": dict(_JEOL_PAIR.findall(text))}
    pairs = {key: value.strip() for key, value in reversed(_PAIR.findall(text))}
    if text.lstrip("\ufeff").lstrip().startswith(("[SemImageFile]", "[TemImageFile]")):
        return {"Hitachi": pairs}
    return {"TESCAN": pairs} if set(pairs) >= _OF_TESCAN else {}


def scale_of_sem(
    metadata: Mapping[str, Any], shape: Shape, source: str
) -> Scale | None:
    """Give the pixel size of the maker's entries.

    Args:
        metadata: With the entries of `parse_sidecar`.
        shape: (H, W, ...) of the image; entries of an image of another width, which
            was scaled or cut since, give no size.
        source: Where they stand.
    """
    for maker, read in (("JEOL", _jeol), ("Hitachi", _hitachi), ("TESCAN", _tescan)):
        if maker in metadata:
            return read(metadata[maker], shape, source)
    return None


def _jeol(told: Mapping[str, str], shape: Shape, source: str) -> Scale | None:
    length = _LENGTH.fullmatch(told.get("SM_MICRON_MARKER", ""))
    bar_px = number_of(told.get("SM_MICRON_BAR"))
    if not (length and bar_px and is_of_width(told.get("CM_FULL_SIZE"), shape)):
        return None
    return _square(number_of(length[1]) / bar_px, length[2], source)


def _hitachi(told: Mapping[str, str], shape: Shape, source: str) -> Scale | None:
    if not is_of_width(told.get("DataSize"), shape):
        return None
    return _square(number_of(told.get("PixelSize")), "nm", source)


def _tescan(told: Mapping[str, str], shape: Shape, source: str) -> Scale | None:
    rows, columns = number_of(told["PixelSizeY"]), number_of(told["PixelSizeX"])
    return Scale(rows, columns, "m", "m", source) if rows and columns else None


def _square(size: float, unit: str, source: str) -> Scale | None:
    return Scale(size, size, unit, unit, source) if size else None


def is_of_width(size: Any, shape: Shape) -> bool:
    """Say whether a size, such as "1280 960" or "1280x960", is of this width."""
    return str(size).replace("x", " ").split()[:1] == [str(shape[1])]


def number_of(text: Any) -> float:
    """Give a number above 0, or 0 where a text is none."""
    try:
        number = float(text)
    except (TypeError, ValueError):
        return 0.0
    return number if 0 < number < math.inf else 0.0


def _told_beside(path: Path) -> tuple[dict[str, dict[str, str]], str]:
    """Give the entries of the text beside an image, and its name; or nothing."""
    for beside in _beside(path):
        metadata = parse_sidecar(_read_text(beside)) if beside.is_file() else {}
        if metadata:
            return metadata, beside.name
    return {}, ""


def _beside(path: Path) -> list[Path]:
    """Give the names that a text beside an image has."""
    of_tescan = path.with_name(f"{path.stem}-{path.suffix[1:]}.hdr")
    return [of_tescan, *(path.with_suffix(suffix) for suffix in _SUFFIXES)]


def _read_text(path: Path) -> str:
    """Read UTF-16 with its mark, UTF-8, or bytes of which those below 128 count."""
    try:
        with path.open("rb") as file:
            start = file.read(_MAX_BYTES)
    except OSError as error:
        raise MicrographError(
            f"{path}: the text beside a micrograph must be readable. Received: "
            f"{error.strerror}."
        ) from error
    is_utf16 = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return start.decode("utf-16" if is_utf16 else "utf-8")
    except UnicodeDecodeError:
        return start.decode("latin-1")
