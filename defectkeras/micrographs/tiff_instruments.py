"""What microscopes write into tags of their own in TIFF files.

Old ZEISS tags have two sizes, and only AP_IMAGE_PIXEL_SIZE is that of the image.
The XML of tag 34683 is that of a Phenom, or that of Velox, MAPS and other programs of
Thermo Fisher. JEOL's SightX gives the distance of the camera's pixels and the
magnification.
"""

import contextlib
import math
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from tifffile import TiffPage

from defectkeras.micrographs.frame import Scale
from defectkeras.micrographs.sidecar import number_of, parse_sidecar, scale_of_sem

_FEI_TAGS = (34682, 34680)
_FEI_XML_TAG = 34683
_ZEISS_TAG = 34118
_TESCAN_TAG = 50431
_TVIPS_TAG = 37706
_OLYMPUS_TAG = 33560
_DIGITAL_MICROGRAPH_TAGS = (65003, 65004, 65009, 65010)
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_MAKE = 271
_UNIT_CM = {2: 2.54, 3: 1.0}  # inch and centimeter; 1 is no unit
_LARGEST_M = 2e-5  # Olympus has 1 m where it knows none

Metadata = Mapping[str, Any]
Source = Callable[[TiffPage, Metadata], Scale | None]


def maker_metadata(page: TiffPage) -> dict[str, Any]:
    """Give what the microscope wrote about a page.

    Args:
        page: The first page of the file that is no thumbnail.

    Returns:
        Sections of FEI, ZEISS, Phenom and TESCAN; empty when it has none.
    """
    metadata: dict[str, Any] = {}
    for code in (*_FEI_TAGS, _ZEISS_TAG):
        value = tag_value(page, code)
        if isinstance(value, dict):
            metadata.update({str(k): v for k, v in value.items()})
    phenom = parsed_xml(tag_text(page, _FEI_XML_TAG))
    if phenom is not None and phenom.tag == "FeiImage":
        metadata["Phenom"] = {e.tag: e.text for e in phenom if not len(e)}
    metadata.update(parse_sidecar(tag_text(page, _TESCAN_TAG)))
    return metadata


def tag_value(page: TiffPage, code: int) -> Any:
    """Give the value of a tag, or None when the page has not got it."""
    return page.tags.valueof(code)


def tag_text(page: TiffPage, code: int) -> str:
    """Give the text of a tag, or "" when the page has not got it."""
    value = tag_value(page, code)
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")


def parsed_xml(text: str) -> ElementTree.Element | None:
    """Give the root of an XML text, or None when it is none."""
    with contextlib.suppress(ElementTree.ParseError):
        return ElementTree.fromstring(text.strip(" \r\n\t\0\1"))
    return None


def distances(page: TiffPage) -> tuple[float | None, float | None]:
    """Give the distances of rows and of columns in the unit of the resolution."""
    ratios = (tag_value(page, code) for code in (_Y_RESOLUTION, _X_RESOLUTION))
    rows, columns = (
        r[1] / r[0] if isinstance(r, tuple) and len(r) == 2 and r[0] else None
        for r in ratios
    )
    return rows, columns


def distances_cm(page: TiffPage) -> tuple[float, float] | None:
    """Give the distances of rows and of columns in cm; None without a unit."""
    unit_cm = _UNIT_CM.get(tag_value(page, _RESOLUTION_UNIT))
    rows, columns = distances(page)
    if unit_cm is None or rows is None or columns is None:
        return None
    return rows * unit_cm, columns * unit_cm


def known_scale(
    rows: Any, columns: Any, units: tuple[str, str], source: str
) -> Scale | None:
    """Give a scale, or None when a size is not known (0 means so too)."""
    if not (is_size(rows) and is_size(columns)):
        return None
    return Scale(rows, columns, *units, source)


def is_size(value: Any) -> bool:
    """Say whether a value is a finite number above 0."""
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _fei(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read PixelWidth and PixelHeight in m, of the beam that scanned."""
    code = next((c for c in _FEI_TAGS if c in page.tags), None)
    beam = metadata.get("Beam")
    active = str(beam.get("Scan")) if isinstance(beam, dict) else ""
    section = metadata.get("Scan") or metadata.get(active)
    if code is None or not isinstance(section, dict):
        return None
    rows, columns = section.get("PixelHeight"), section.get("PixelWidth")
    return known_scale(rows, columns, ("m", "m"), f"file tag {code}")


def _fei_xml(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read pixelHeight and pixelWidth, or PixelSize/Y and X, with their units."""
    root = parsed_xml(tag_text(page, _FEI_XML_TAG))
    if root is None:
        return None
    names = [f"{{*}}BinaryResult/{{*}}PixelSize/{{*}}{axis}" for axis in "YX"]
    if root.tag == "FeiImage":
        names = ["pixelHeight", "pixelWidth"]
    entries = [e for e in map(root.find, names) if e is not None]
    if len(entries) != 2 or any(e.get("unitPrefixPower", "1") != "1" for e in entries):
        return None
    rows, columns = (number_of(e.text) for e in entries)
    units = entries[0].get("unit", ""), entries[1].get("unit", "")
    return known_scale(rows, columns, units, f"file tag {_FEI_XML_TAG}")


def _zeiss(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read AP_IMAGE_PIXEL_SIZE, given as name, value and unit."""
    entry = metadata.get("ap_image_pixel_size")
    if _ZEISS_TAG in page.tags and isinstance(entry, tuple) and len(entry) == 3:
        _, size, unit = entry
        return known_scale(size, size, (str(unit), str(unit)), f"file tag {_ZEISS_TAG}")
    return None


def _tescan(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read PixelSizeX and PixelSizeY in m."""
    if _TESCAN_TAG not in page.tags:
        return None
    return scale_of_sem(metadata, page.shape, f"file tag {_TESCAN_TAG}")


def _tvips(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read PixelSizeX and PixelSizeY in nm, which version 2 of EM-MENU's header has."""
    told = tag_value(page, _TVIPS_TAG)
    if not isinstance(told, dict):
        return None
    rows, columns = told.get("PixelSizeY"), told.get("PixelSizeX")
    return known_scale(rows, columns, ("nm", "nm"), f"file tag {_TVIPS_TAG}")


def _olympus(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read the size in m of iTEM and analySIS; other layouts give two that differ."""
    told = tag_value(page, _OLYMPUS_TAG)
    size = told.get("pixelsizex") if isinstance(told, dict) else None
    if not is_size(size) or size != told["pixelsizey"] or size >= _LARGEST_M:
        return None
    return known_scale(size, size, ("m", "m"), f"file tag {_OLYMPUS_TAG}")


def _jeol(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read the distance of the camera's pixels over the magnification of a TEM."""
    is_jeol = tag_text(page, _MAKE).startswith("JEOL")
    root = parsed_xml(page.description) if is_jeol else None
    cm = distances_cm(page)
    if root is None or cm is None:
        return None
    told = [
        root.findtext(f".//{name}")
        for name in ("EosMode", "ImageFormingSystem/ModeString")
    ]
    magnification = number_of(root.findtext(".//ImageFormingSystem/SelectorValue"))
    if told != ["eosTEM", "MAG"] or not magnification:
        return None
    rows, columns = (length / magnification for length in cm)
    return known_scale(rows, columns, ("cm", "cm"), "JEOL magnification")


def _digital_micrograph(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read units and scales, x before y, from Gatan's private tags."""
    x_unit, y_unit = (tag_text(page, code) for code in _DIGITAL_MICROGRAPH_TAGS[:2])
    x_scale, y_scale = (tag_value(page, code) for code in _DIGITAL_MICROGRAPH_TAGS[2:])
    if not (x_unit or y_unit):
        return None
    return known_scale(y_scale, x_scale, (y_unit, x_unit), "file tag 65009")


MAKER_SOURCES: tuple[Source, ...] = (
    _fei,
    _fei_xml,
    _zeiss,
    _tescan,
    _tvips,
    _olympus,
    _jeol,
    _digital_micrograph,
)
"""Where a pixel size may stand, in the order in which they are asked."""
