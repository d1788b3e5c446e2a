"""What the tags of a TIFF page tell: the instrument, and the pixel size.

The tags of microscopes go before those of programs, and these before the
baseline resolution, which any program may have filled in. Old ZEISS tags have
two sizes, and only AP_IMAGE_PIXEL_SIZE is that of the image.
"""

import contextlib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

import tifffile
from tifffile import TiffPage

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.frame import Scale
from defectkeras.micrographs.sidecar import parse_sidecar, scale_of_sem
from defectkeras.micrographs.units import pixel_size_nm

MAX_RESOLUTION_CM = 1e-4
"""Larger pixels (1 um, below 25400 dpi) are those of a printer or a scanner."""

MAX_PROGRAM_NM = 2e4
"""Larger pixels (20 um, 1270 dpi) in OME-XML and of ImageJ are such, carried over.

Bio-Formats makes 352.8 um of 72 dpi; SEMs at their lowest magnification have 12 um.
"""

_FEI_TAGS = (34682, 34680)
_ZEISS_TAG = 34118
_TESCAN_TAG = 50431
_DIGITAL_MICROGRAPH_TAGS = (65003, 65004, 65009, 65010)
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_NOT_CALIBRATED = ("", "inch", "pixel")  # ImageJ's inch is a dpi it carried over
_NM_PER_CM = 1e7
_UNIT_CM = {2: 2.54, 3: 1.0}  # inch and centimeter; 1 is no unit

Metadata = Mapping[str, Any]


def instrument_metadata(page: TiffPage) -> dict[str, Any]:
    """Give what the instrument or the program wrote about a page.

    Args:
        page: The first page of the file.

    Returns:
        Sections of FEI, ZEISS and TESCAN, or the lines of ImageJ; empty when the page
        has none.
    """
    metadata: dict[str, Any] = {}
    for code in (*_FEI_TAGS, _ZEISS_TAG):
        value = _value(page, code)
        if isinstance(value, dict):
            metadata.update({str(k): v for k, v in value.items()})
    metadata.update(parse_sidecar(_text(_value(page, _TESCAN_TAG))))
    if page.is_imagej:
        metadata.update(tifffile.tifffile.imagej_description_metadata(page.description))
    return metadata


def find_scale(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Give the pixel size from the first source that has one.

    Args:
        page: The first page of the file.
        metadata: Of this page, from `instrument_metadata`.

    Returns:
        The pixel size with its unit and its source, or None.
    """
    for source in _SOURCES:
        scale = source(page, metadata)
        if scale is not None:
            return scale
    return None


def foil_thickness_nm(metadata: Metadata) -> float | None:
    """Give the foil thickness that `write_micrograph` wrote, in nm."""
    thickness = metadata.get("foil_thickness_nm")
    return float(thickness) if _is_size(thickness) else None  # type: ignore[arg-type]


def _fei(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read PixelWidth and PixelHeight in m, of the beam that scanned."""
    code = next((c for c in _FEI_TAGS if c in page.tags), None)
    beam = metadata.get("Beam")
    active = str(beam.get("Scan")) if isinstance(beam, dict) else ""
    section = metadata.get("Scan") or metadata.get(active)
    if code is None or not isinstance(section, dict):
        return None
    rows, columns = section.get("PixelHeight"), section.get("PixelWidth")
    return _scale(rows, columns, ("m", "m"), f"file tag {code}")


def _zeiss(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read AP_IMAGE_PIXEL_SIZE, given as name, value and unit."""
    entry = metadata.get("ap_image_pixel_size")
    if _ZEISS_TAG in page.tags and isinstance(entry, tuple) and len(entry) == 3:
        _, size, unit = entry
        return _scale(size, size, (str(unit), str(unit)), f"file tag {_ZEISS_TAG}")
    return None


def _tescan(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read PixelSizeX and PixelSizeY in m."""
    if _TESCAN_TAG not in page.tags:
        return None
    return scale_of_sem(metadata, page.shape, f"file tag {_TESCAN_TAG}")


def _digital_micrograph(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read units and scales, x before y, from Gatan's private tags."""
    x_unit, y_unit, x_scale, y_scale = (
        _value(page, code) for code in _DIGITAL_MICROGRAPH_TAGS
    )
    if not (x_unit or y_unit):
        return None
    return _scale(y_scale, x_scale, (_text(y_unit), _text(x_unit)), "file tag 65009")


def _ome(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read PhysicalSizeX and PhysicalSizeY, in um when no unit is given."""
    if not page.description.lstrip().startswith("<") or "OME" not in page.description:
        return None
    try:
        pixels = ElementTree.fromstring(page.description).find(".//{*}Pixels")
    except ElementTree.ParseError:
        return None
    if pixels is None:
        return None
    rows, columns = (_number(pixels.get(f"PhysicalSize{axis}")) for axis in "YX")
    rows_unit, columns_unit = (
        pixels.get(f"PhysicalSize{axis}Unit", "µm") for axis in "YX"
    )
    return _no_density(_scale(rows, columns, (rows_unit, columns_unit), "OME-XML"))


def _imagej(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read pixels per unit; the description names the unit."""
    unit, rows_unit = (_unescaped(metadata.get(k)) for k in ("unit", "yunit"))
    if not page.is_imagej or unit in _NOT_CALIBRATED:
        return None
    rows, columns = _distances(page)
    units = rows_unit or unit, unit
    return _no_density(_scale(rows, columns, units, "ImageJ description"))


def _baseline(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read pixels per inch or cm, unless it is a density for a printer."""
    unit_cm = _UNIT_CM.get(_value(page, _RESOLUTION_UNIT))
    rows, columns = _distances(page)
    if unit_cm is None or page.is_imagej or rows is None or columns is None:
        return None
    if max(rows, columns) * unit_cm >= MAX_RESOLUTION_CM:
        return None
    return _scale(rows * unit_cm, columns * unit_cm, ("cm", "cm"), "TIFF resolution")


_SOURCES: tuple[Callable[[TiffPage, Metadata], Scale | None], ...] = (
    _fei,
    _zeiss,
    _tescan,
    _digital_micrograph,
    _ome,
    _imagej,
    _baseline,
)


def _scale(
    rows: Any, columns: Any, units: tuple[str, str], source: str
) -> Scale | None:
    """Give a scale, or None when a size is not known (0 means so too)."""
    if not (_is_size(rows) and _is_size(columns)):
        return None
    return Scale(rows, columns, *units, source)


def _no_density(scale: Scale | None) -> Scale | None:
    """Give a scale, or None when a program made it of a density for a printer."""
    if scale is None:
        return None
    # ImageJ takes over pixels per cm, as those per inch.
    is_cm = scale.columns_unit == "cm"
    largest_nm = MAX_RESOLUTION_CM * _NM_PER_CM if is_cm else MAX_PROGRAM_NM
    with contextlib.suppress(MicrographError):  # odd units are told by who asks
        return scale if (pixel_size_nm(scale) or 0) < largest_nm else None
    return scale


def _unescaped(text: Any) -> str:
    r"""Give a text of ImageJ, which writes \u00C5 for Å."""
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda m: chr(int(m[1], 16)), str(text or ""))


def _distances(page: TiffPage) -> tuple[float | None, float | None]:
    """Give the distances of rows and of columns in the unit of the resolution."""
    ratios = (_value(page, code) for code in (_Y_RESOLUTION, _X_RESOLUTION))
    rows, columns = (
        r[1] / r[0] if isinstance(r, tuple) and len(r) == 2 and r[0] else None
        for r in ratios
    )
    return rows, columns


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _value(page: TiffPage, code: int) -> Any:
    """Give the value of a tag, or None when the page has not got it."""
    return page.tags.valueof(code)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
