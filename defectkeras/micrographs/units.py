"""Units of length as files write them, to nanometres."""

import math
import unicodedata

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.frame import Scale

MAX_ANISOTROPY = 1e-3
"""Rows and columns may differ by 0.1 %; the area is then off by less."""

_NM_PER_UNIT = {
    "m": 1e9,
    "meter": 1e9,
    "metre": 1e9,
    "cm": 1e7,
    "mm": 1e6,
    "μm": 1e3,  # NFKC turns the micro sign into this Greek mu
    "um": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "micrometers": 1e3,
    "micrometre": 1e3,
    "micrometres": 1e3,
    "nm": 1.0,
    "nanometer": 1.0,
    "nanometers": 1.0,
    "nanometre": 1.0,
    "nanometres": 1.0,
    "Å": 0.1,
    "A": 0.1,
    "Ang": 0.1,
    "angstrom": 0.1,
    "angstroms": 0.1,
    "Angstrom": 0.1,
    "Angstroms": 0.1,
    "pm": 1e-3,
}
_NO_UNIT = ("", "px", "pixel", "pixels", "reference frame")  # the last is OME's
_SIGNIFICANT_DIGITS = 7  # hides the rounding of float32 and of ratios


def pixel_size_nm(scale: Scale | None) -> float | None:
    """Give the side of the square pixel.

    Args:
        scale: Pixel sizes as the file tells them.

    Returns:
        The side in nm; None when the file gives no size or no unit.

    Raises:
        MicrographError: When the unit is not one of length, or rows and
            columns differ by more than `MAX_ANISOTROPY`.

    Example:
        >>> pixel_size_nm(Scale(2.5, 2.5, "Å", "Å", "header"))
        0.25
    """
    if scale is None:
        return None
    rows_nm = length_nm(scale.rows, scale.rows_unit)
    columns_nm = length_nm(scale.columns, scale.columns_unit)
    if rows_nm is None and columns_nm is None:
        return None
    if rows_nm is None or columns_nm is None or not _is_square(rows_nm, columns_nm):
        raise MicrographError(
            f"must have square pixels. Received: rows {scale.rows:g} "
            f"{scale.rows_unit!r} and columns {scale.columns:g} "
            f"{scale.columns_unit!r} apart. Resample it, or give --pixel-size-nm."
        )
    size_nm = math.sqrt(rows_nm) * math.sqrt(columns_nm)  # keeps the area
    return float(f"{size_nm:.{_SIGNIFICANT_DIGITS}g}")


def length_nm(value: float, unit: str) -> float | None:
    """Give a length in nm.

    Args:
        value: In `unit`.
        unit: "m", "cm", "mm", "um", "nm", "Å", "pm" or another spelling of
            one of these.

    Returns:
        The length in nm; None without a unit, in pixels, or when the value is
        not finite and above 0.

    Raises:
        MicrographError: When the unit is not known, or is that of a
            diffraction pattern.

    Example:
        >>> length_nm(3.0, "µm")
        3000.0
    """
    text = unicodedata.normalize("NFKC", unit).strip().strip("\0")
    if text in _NO_UNIT or not (math.isfinite(value) and value > 0):
        return None
    if text.replace(" ", "").startswith("1/") or text.endswith(
        ("-1", "\N{MINUS SIGN}1")
    ):
        raise MicrographError(
            "must be an image in real space. Received: the reciprocal unit "
            f"{unit!r} of a diffraction pattern. Give --pixel-size-nm if it is "
            "an image all the same."
        )
    if text not in _NM_PER_UNIT:
        raise MicrographError(
            "must give its pixel size in m, cm, mm, um, nm, Å or pm. "
            f"Received: unit {unit!r}. Give --pixel-size-nm."
        )
    length = value * _NM_PER_UNIT[text]
    return length if math.isfinite(length) and length > 0 else None


def _is_square(rows_nm: float, columns_nm: float) -> bool:
    return math.isclose(rows_nm, columns_nm, rel_tol=MAX_ANISOTROPY)
