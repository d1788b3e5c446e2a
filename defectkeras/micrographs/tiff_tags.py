"""What the tags of a TIFF page tell: the instrument, and the pixel size.

The tags of microscopes (`tiff_instruments`) go before those of programs, and these
before the baseline resolution, which any program may have filled in.
"""

import contextlib
import re
from typing import Any

import tifffile
from tifffile import TiffPage

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.frame import Scale
from defectkeras.micrographs.sidecar import number_of
from defectkeras.micrographs.tiff_instruments import (
    MAKER_SOURCES,
    Metadata,
    Source,
    distances,
    distances_cm,
    is_size,
    known_scale,
    maker_metadata,
    parsed_xml,
)
from defectkeras.micrographs.units import pixel_size_nm

MAX_RESOLUTION_CM = 1e-4
"""Larger pixels (1 um, below 25400 dpi) are those of a printer or a scanner."""

MAX_PROGRAM_NM = 2e4
"""Larger pixels (20 um, 1270 dpi) in OME-XML and of ImageJ are such, carried over.

Bio-Formats makes 352.8 um of 72 dpi; SEMs at their lowest magnification have 12 um.
"""

_NOT_CALIBRATED = ("", "inch", "pixel")  # ImageJ's inch is a dpi it carried over
_NM_PER_CM = 1e7


def instrument_metadata(page: TiffPage) -> dict[str, Any]:
    """Give what the instrument or the program wrote about a page.

    Args:
        page: The first page of the file that is no thumbnail.

    Returns:
        Sections of `maker_metadata`, or the lines of ImageJ; empty when the page has
        none.
    """
    metadata = maker_metadata(page)
    if page.is_imagej:
        metadata.update(tifffile.tifffile.imagej_description_metadata(page.description))
    return metadata


def find_scale(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Give the pixel size from the first source that has one.

    Args:
        page: The first page of the file that is no thumbnail.
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
    return float(thickness) if is_size(thickness) else None  # type: ignore[arg-type]


def _ome(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read PhysicalSizeX and PhysicalSizeY, in um when no unit is given."""
    root = parsed_xml(page.description) if "OME" in page.description else None
    pixels = None if root is None else root.find(".//{*}Pixels")
    if pixels is None:
        return None
    rows, columns = (number_of(pixels.get(f"PhysicalSize{axis}")) for axis in "YX")
    rows_unit, columns_unit = (
        pixels.get(f"PhysicalSize{axis}Unit", "µm") for axis in "YX"
    )
    return _no_density(known_scale(rows, columns, (rows_unit, columns_unit), "OME-XML"))


def _imagej(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read pixels per unit; the description names the unit."""
    unit, rows_unit = (_unescaped(metadata.get(k)) for k in ("unit", "yunit"))
    if not page.is_imagej or unit in _NOT_CALIBRATED:
        return None
    units = rows_unit or unit, unit
    return _no_density(known_scale(*distances(page), units, "ImageJ description"))


def _baseline(page: TiffPage, metadata: Metadata) -> Scale | None:
    """Read pixels per inch or cm, unless it is a density for a printer."""
    cm = None if page.is_imagej else distances_cm(page)
    if cm is None or max(cm) >= MAX_RESOLUTION_CM:
        return None
    return known_scale(*cm, ("cm", "cm"), "TIFF resolution")


_SOURCES: tuple[Source, ...] = (*MAKER_SOURCES, _ome, _imagej, _baseline)


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
