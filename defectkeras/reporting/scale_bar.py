"""How long a scale bar is, and what stands over it."""

import math
from dataclasses import dataclass

from defectkeras.core.calibration import Calibration

LARGEST_SHARE = 0.25
"""Longest bar as a share of the width of the picture."""

_UNITS = ((1e6, "mm"), (1e3, "µm"), (0.0, "nm"))


@dataclass(frozen=True)
class ScaleBar:
    """A bar of round length.

    Attributes:
        length_px: Length in pixels of the micrograph.
        label: Length with unit, such as "200 nm"; in px when the pixel size is
            not known.
    """

    length_px: float
    label: str


def choose_scale_bar(width_px: int, calibration: Calibration) -> ScaleBar:
    """Choose the longest 1-2-5 length that is at most a quarter of the width.

    Args:
        width_px: Width of the micrograph in pixels.
        calibration: Its pixel size, if it has one.

    Returns:
        The bar.

    Example:
        >>> choose_scale_bar(2048, Calibration(pixel_size_nm=0.2554)).label
        '100 nm'
        >>> choose_scale_bar(420, Calibration()).label
        '100 px'
    """
    pixel_size_nm = calibration.pixel_size_nm
    if pixel_size_nm is None:
        length_px = max(1, round(_round_length(LARGEST_SHARE * width_px)))
        return ScaleBar(length_px, f"{length_px} px")
    length_nm = _round_length(LARGEST_SHARE * width_px * pixel_size_nm)
    size, unit = next(u for u in _UNITS if length_nm >= u[0])
    label = f"{length_nm / size if size else length_nm:g} {unit}"
    return ScaleBar(length_nm / pixel_size_nm, label)


def _round_length(longest: float) -> float:
    """Give the largest 1, 2 or 5 times a power of ten up to a length."""
    power = math.floor(math.log10(longest) + 1e-9)
    mantissa = longest / 10.0**power
    step = next(s for s in (5, 2, 1) if mantissa >= s * (1 - 1e-9) or s == 1)
    return float(f"{step}e{power}")
