"""Numbers as a paper prints them: sensible digits, a common power of ten."""

import math
import re
import statistics
from collections.abc import Sequence

MISSING = "–"

HANDY = (1e-3, 1e5)
"""Numbers in between are written without a power of ten."""

_FAR = 1e4  # times the value
_WIDE = 1000  # times the power of ten of the value

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# A quantity or a column carries its unit at the end of its name.
_UNITS = {
    "_per_m2": "m⁻²",
    "_per_m3": "m⁻³",
    "_per_m": "m⁻¹",
    "_per_px2": "px⁻²",
    "_percent": "%",
    "_nm2": "nm²",
    "_nm3": "nm³",
    "_px2": "px²",
    "_nm": "nm",
    "_px": "px",
    "_deg": "°",
}

_LABELS = {
    "class_name": "Class",
    "label": "Number",
    "dislocation_density": "Dislocation density, by projected length",
    "dislocation_density_intercepts": "Dislocation density, by intercepts",
    "line_length": "Projected line length",
    "line_length_per_area": "Projected line length per area",
    "lognormal_median": "Log-normal median",
    "lognormal_sigma": "Log-normal width σ",
    "max_feret": "Largest Feret diameter",
    "mean_max_feret": "Mean largest Feret diameter",
    "min_feret": "Smallest Feret diameter",
}


def format_value(value: float | None, half_width: float | None = None) -> str:
    """Give a number with the digits that it deserves.

    Args:
        value: The number; None and NaN are shown as a dash, an int whole: it was
            counted.
        half_width: Half of its interval; the number then ends where the second
            digit of this does, but has two to four digits, with zeros up to the point.
            Without it three, and all before the point.

    Returns:
        Text; above 99,999 and below 0.001 with a power of ten.

    Example:
        >>> format_value(1.22069e21), format_value(13.4567, 0.21), format_value(48)
        ('1.22 × 10²¹', '13.46', '48')
        >>> format_value(12345.7, 1250.0), format_value(12345.7)
        ('12300', '12346')
    """
    if value is None or math.isnan(value):
        return MISSING
    if isinstance(value, int):
        return str(value)
    exponent, decimals = _form(value, half_width)
    return _write([value], exponent, decimals)


def format_measured(
    value: float, low: float | None, high: float | None
) -> tuple[str, str]:
    """Give a number to what its interval supports, and the interval, "" without one.

    Example:
        >>> format_measured(13.4567, 13.25, 13.67), format_measured(2.5, None, None)
        (('13.46', '13.25 to 13.67'), ('2.50', ''))
    """
    if low is None or high is None:
        return format_value(value), ""
    return format_value(value, (high - low) / 2), format_interval(value, low, high)


def format_interval(value: float, low: float, high: float) -> str:
    """Give an interval in the power of ten and to the digits of its value.

    Those of its larger end where the value is 0, as when nothing was found, or where
    the end would have four digits or more before its point; never more than its width
    or three of its larger end support. Each end by itself where one is far from the
    value, as when two or three objects tell little. That of a count has no power.

    Example:
        >>> format_interval(1.2207e21, 0.906e21, 1.609e21)
        '(0.91 to 1.61) × 10²¹'
        >>> format_interval(12345.7, 11012.3, 13486.1)
        '11000 to 13500'
        >>> format_interval(900.0, 0.0, 13410.0)
        '0 to 13400'
        >>> format_interval(0.0, 0.0, 4.69e12)
        '(0.0 to 4.7) × 10¹²'
        >>> format_interval(7.9e-4, 0.0, 0.292)
        '0.00 to 0.29'
        >>> format_interval(3.1, 0.0, 5.2e8)
        '0 to 5.2 × 10⁸'
    """
    end, half_width = max(-low, high), (high - low) / 2
    if value and end > _FAR * abs(value):
        return f"{format_value(low, low)} to {format_value(high, high)}"
    size = value or end
    exponent, decimals = _form(size, half_width)
    if exponent and end >= _WIDE * 10.0**exponent:
        exponent, decimals = _form(end, half_width)
    if isinstance(size, int):
        exponent, decimals = 0, decimals - exponent
    supported = max(1 - _magnitude(half_width), 2 - _magnitude(end)) + exponent
    return _write([low, high], exponent, min(decimals, supported))


def format_column(values: Sequence[float]) -> list[str]:
    """Give numbers of one column with the same number of decimals.

    The number in the middle has three digits.

    Example:
        >>> format_column([9.372, 22.4, 127.0])
        ['9.4', '22.4', '127.0']
        >>> format_column([1, 2, 300])
        ['1', '2', '300']
    """
    if all(isinstance(value, int) for value in values):
        return [str(value) for value in values]
    sizes = [abs(v) for v in values if v != 0 and math.isfinite(v)]
    middle = statistics.median(sizes) if sizes else 1.0
    if not HANDY[0] <= middle < HANDY[1]:
        return [format_value(value) for value in values]
    decimals = max(0, 2 - _magnitude(middle))
    return [MISSING if math.isnan(v) else f"{v:.{decimals}f}" for v in values]


def split_unit(name: str) -> tuple[str, str]:
    """Give what a name means to people, and its unit.

    Args:
        name: Of a quantity or a column, such as "mean_diameter_nm".

    Example:
        >>> split_unit("number_density_per_m3")
        ('Number density', 'm⁻³')
        >>> split_unit("count")
        ('Count', '')
    """
    stem, unit = split_name(name)
    label = _LABELS.get(stem) or stem.replace("_", " ").capitalize()
    return label, unit


def split_name(name: str) -> tuple[str, str]:
    """Give a name without its ending, and the unit that the ending means.

    Example:
        >>> split_name("area_nm2"), split_name("aspect_ratio")
        (('area', 'nm²'), ('aspect_ratio', ''))
    """
    ending = next((e for e in _UNITS if name.endswith(e)), "")
    return name.removesuffix(ending), _UNITS.get(ending, "")


def pretty_unit(unit: str) -> str:
    """Give a unit with raised exponents.

    Example:
        >>> pretty_unit("m^-3"), pretty_unit("nm2"), pretty_unit("1")
        ('m⁻³', 'nm²', '')
    """
    if unit in ("1", "percent"):
        return {"1": "", "percent": "%"}[unit]
    return re.sub(
        r"(?<=[a-zµ])\^?(-?\d+)", lambda m: m.group(1).translate(_SUPERSCRIPT), unit
    )


def scaled_unit(size: float, unit: str) -> tuple[int, str]:
    """Give the power of ten to take out of numbers up to a size, and their unit.

    Example:
        >>> scaled_unit(8.55e21, "m⁻³"), scaled_unit(407, "")
        ((21, '10²¹ m⁻³'), (0, ''))
    """
    if size == 0 or HANDY[0] <= abs(size) < HANDY[1]:
        return 0, unit
    exponent = _magnitude(size)
    return exponent, f"10{str(exponent).translate(_SUPERSCRIPT)} {unit}".strip()


def _form(value: float, half_width: float | None) -> tuple[int, int]:
    """Give the power of ten to take out of a number, and its decimals.

    Decimals below 0 are digits before the point that an interval does not support.
    """
    digits = 3
    if half_width:
        digits = min(max(_magnitude(value) - _magnitude(half_width) + 2, 2), 4)
    rounded = float(f"{value:.{digits - 1}e}")
    magnitude = _magnitude(rounded)  # 9.999 is 10.0
    shown = rounded if half_width else value
    if value != 0 and not HANDY[0] <= abs(shown) < HANDY[1]:
        return magnitude, digits - 1
    is_whole = value == 0 or (half_width is None and value == round(value))
    decimals = 0 if is_whole else digits - 1 - magnitude
    return 0, decimals if half_width else max(0, decimals)


def _write(values: Sequence[float], exponent: int, decimals: int) -> str:
    """Write numbers over one power of ten."""
    rounded = [round(v / 10.0**exponent, decimals) + 0.0 for v in values]  # no -0.0
    text = " to ".join(f"{v:.{max(0, decimals)}f}" for v in rounded)
    text = text.replace("-", "−")
    if exponent == 0:
        return text
    if len(values) > 1:
        text = f"({text})"
    return f"{text} × 10{str(exponent).translate(_SUPERSCRIPT)}"


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0
