"""What a page shows of one micrograph, as text in rows and columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from defectkeras.core.calibration import Calibration
from defectkeras.core.palette import class_colors, hex_color
from defectkeras.quantification.results import METHOD_TEXTS, Quantification, Quantity
from defectkeras.reporting.numbers import (
    format_column,
    format_measured,
    pretty_unit,
    split_unit,
)

MAX_ROWS = 200
"""A page shows so many objects of a micrograph; the CSV file has them all."""

_COUNTS = ("count", "line_count")
_HIDDEN_COLUMNS = ("edge_weight", "forbidden_line_weight")
_METHOD_NAMES = {
    "garwood": "Garwood",
    "lognormal_mle": "log-normal fit",
    "max_feret": "largest Feret",
    "miles_lantuejoul": "Miles-Lantuéjoul",
    "student": "Student's t",
}
_IN_NM = {"_px": ("_nm", "_nm2"), "_per_px2": ("_per_m2",)}


@dataclass(frozen=True)
class QuantityRow:
    """One quantity in words."""

    label: str
    value: str
    interval: str
    unit: str
    method: str
    method_text: str


@dataclass(frozen=True)
class Missing:
    """Quantities that cannot be given, all for one reason."""

    labels: str
    reason: str


@dataclass(frozen=True)
class QuantityGroup:
    """The quantities of one class."""

    class_name: str
    color: str
    rows: tuple[QuantityRow, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True)
class Column:
    """The head of a column."""

    label: str
    unit: str
    is_number: bool


@dataclass(frozen=True)
class Cell:
    """A cell: what is read, and what it is sorted by."""

    text: str
    key: str


@dataclass(frozen=True)
class TableView:
    """A table, maybe only its first rows."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int


def quantity_groups(quantification: Quantification) -> list[QuantityGroup]:
    """Give the quantities class by class, in the order of the scheme.

    A value in px is left out where the same in nm has one. Those without a value
    are put together by their reason.
    """
    colors = class_colors(quantification.scheme)
    shown = shown_quantities(quantification)
    groups = []
    for defect_class in quantification.scheme.defects:
        own = [
            q for q in quantification.quantities if q.class_name == defect_class.name
        ]
        rows = [quantity_row(q) for q in own if q in shown]
        color = hex_color(colors[defect_class.index])
        groups.append(
            QuantityGroup(
                defect_class.name, color, tuple(r for r in rows if r), _missing(own)
            )
        )
    return groups


def shown_quantities(quantification: Quantification) -> list[Quantity]:
    """Give what has a value, in px only where there is none in nm."""
    known = [q for q in quantification.quantities if q.value is not None]
    names: dict[str, list[str]] = {}
    for quantity in known:
        names.setdefault(quantity.class_name, []).append(quantity.name)
    return [q for q in known if _is_shown(q.name, names[q.class_name])]


def quantity_row(quantity: Quantity) -> QuantityRow | None:
    """Give a quantity in words, or None when it has no value."""
    value, low, high = quantity.value, quantity.low, quantity.high
    if value is None:
        return None
    label, unit = split_unit(quantity.name)
    is_counted = quantity.name in _COUNTS and "fields" not in quantity.parts  # no mean
    text, interval = format_measured(int(value) if is_counted else value, low, high)
    return QuantityRow(
        label=label,
        value=text,
        interval=interval,
        unit=unit or pretty_unit(quantity.unit),
        method=", ".join(method_name(m) for m in quantity.method.split("+") if m),
        method_text=quantity.method_text,
    )


def methods_in_use(quantifications: Sequence[Quantification]) -> dict[str, str]:
    """Give the methods behind all values that are shown, with their texts."""
    used = {
        method
        for quantification in quantifications
        for quantity in shown_quantities(quantification)
        for method in quantity.method.split("+")
    }
    return {name: text for name, text in METHOD_TEXTS.items() if name in used}


def method_name(method: str) -> str:
    """Give the name of a method for people.

    Example:
        >>> method_name("miles_lantuejoul"), method_name("cut_corrected")
        ('Miles-Lantuéjoul', 'cut corrected')
    """
    return _METHOD_NAMES.get(method, method.replace("_", " "))


def table_view(table: pd.DataFrame, *, max_rows: int = MAX_ROWS) -> TableView:
    """Give the first rows of a table of objects or lines.

    A column in px is left out where its partner in nm is there; positions stay
    in px, as pictures are looked at in pixels.
    """
    all_names = [str(name) for name in table.columns]
    names = [n for n in all_names if _is_shown(n, all_names)]
    columns = tuple(
        Column(*split_unit(n), is_number=pd.api.types.is_numeric_dtype(table[n]))
        for n in names
    )
    cells = [_cells(table[name].head(max_rows).tolist()) for name in names]
    return TableView(columns, tuple(zip(*cells, strict=True)), len(table))


def calibration_facts(
    calibration: Calibration, shape: tuple[int, int]
) -> list[tuple[str, str, str]]:
    """Give name, value and source of what is known about the field."""
    size, thickness = calibration.pixel_size_nm, calibration.foil_thickness_nm
    facts = [
        (
            "Pixel size",
            f"{size:.6g}{_sigma(calibration.pixel_size_sigma_nm)} nm"
            if size
            else "not known: results are in pixels",
            calibration.pixel_size_source if size else "",
        ),
        (
            "Foil thickness",
            f"{thickness:.6g}{_sigma(calibration.foil_thickness_sigma_nm)} nm"
            if thickness
            else "not known: nothing per volume",
            calibration.foil_thickness_source if thickness else "",
        ),
        ("Image", f"{shape[0]} × {shape[1]} px, rows × columns", ""),
    ]
    if size:
        height_nm, width_nm = calibration.field_of_view_nm(shape)
        scale, unit = (1000, "µm") if max(height_nm, width_nm) >= 1000 else (1, "nm")
        field = f"{height_nm / scale:.4g} × {width_nm / scale:.4g} {unit}"
        facts.append(("Field of view", f"{field}, height × width", ""))
    return facts


def _sigma(sigma_nm: float | None) -> str:
    """Write a standard deviation behind a value, where it is known."""
    return f" ± {sigma_nm:.2g}" if sigma_nm else ""


def applicability_facts(
    applicability: Mapping[str, Any] | None,
) -> list[tuple[str, str, str]]:
    """Give name, value and source of how like the training micrographs it is.

    Example:
        >>> ratios = {"texture": 0.4, "certainty": 1.5}
        >>> applicability_facts({"score": 1.5, "limit": 1.0, "ratios": ratios})
        [('Unlike training', 'score 1.50, limit 1 (texture 0.40, \
certainty 1.50)', '')]
    """
    if applicability is None:
        return []
    ratios = ", ".join(f"{k} {v:.2f}" for k, v in applicability["ratios"].items())
    value = f"score {applicability['score']:.2f}, limit 1 ({ratios})"
    return [("Unlike training", value, "")]


def _missing(quantities: Sequence[Quantity]) -> tuple[Missing, ...]:
    """Give the quantities without a value, by reason, in one unit each."""
    names: dict[str, list[str]] = {}
    for quantity in quantities:
        if quantity.value is None:
            names.setdefault(quantity.reason or "", []).append(quantity.name)
    return tuple(
        Missing(", ".join(_label(n) for n in found if _is_shown(n, found)), reason)
        for reason, found in names.items()
    )


def _label(name: str) -> str:
    """Give what a name means to people, with its unit."""
    label, unit = split_unit(name)
    return f"{label} ({unit})" if unit else label


def _is_shown(name: str, names: Sequence[str]) -> bool:
    """Say whether a name is of use beside the other names."""
    if name in _HIDDEN_COLUMNS:
        return False
    for ending, better in _IN_NM.items():
        stem = name.removesuffix(ending)
        if stem != name and any(f"{stem}{b}" in names for b in better):
            return False
    return True


def _cells(values: Sequence[Any]) -> list[Cell]:
    """Give the cells of one column of truth values, numbers or text."""
    if all(isinstance(value, bool) for value in values):
        return [Cell("yes" if value else "no", str(int(value))) for value in values]
    if all(isinstance(value, int | float) for value in values):
        texts = format_column(values)
        return [Cell(t, repr(float(v))) for t, v in zip(texts, values, strict=True)]
    return [Cell(str(value), str(value)) for value in values]
