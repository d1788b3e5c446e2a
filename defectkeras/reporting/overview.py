"""All micrographs of a report in one table, with their mean and its interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from defectkeras.core.labels import DefectClass
from defectkeras.core.palette import class_colors, hex_color
from defectkeras.quantification.field_set import (
    mean_over_fields,
    quantities_of_fields,
)
from defectkeras.quantification.results import Quantification, Quantity
from defectkeras.reporting.numbers import MISSING, split_unit
from defectkeras.reporting.views import Cell, Column, TableView, quantity_row

_TELLING = {
    "region": (
        ("count",),
        ("number_density_per_m3", "areal_density_per_m2", "areal_density_per_px2"),
        ("mean_{size}_nm", "mean_{size}_px"),
        ("swelling_percent", "volume_fraction_percent", "area_fraction_percent"),
    ),
    "line": (("dislocation_density_per_m2",), ("line_length_nm", "line_length_px")),
}
"""What a reader compares for each kind of class; the first known one is shown. `size`
is what counts as the diameter in the class."""


@dataclass(frozen=True)
class ColumnGroup:
    """Columns beside each other that belong to one class."""

    class_name: str
    color: str
    span: int


@dataclass(frozen=True)
class Overview:
    """All micrographs in one table.

    Attributes:
        groups: The columns of each class.
        table: One row per micrograph.
        mean: Below each column the mean over the micrographs, or a dash.
        interval: And its 95 % interval.
    """

    groups: tuple[ColumnGroup, ...]
    table: TableView
    mean: tuple[str, ...]
    interval: tuple[str, ...]


def make_overview(quantifications: Sequence[Quantification]) -> Overview:
    """Give the telling quantities of each class, one row per micrograph.

    The mean over micrographs has the interval of `mean_over_fields`; it holds when
    they are fields of one specimen.
    """
    groups: list[ColumnGroup] = []
    quantities: list[list[Quantity | None]] = []
    feet: list[tuple[str, str]] = []
    told = quantities_of_fields(quantifications)
    columns: list[Column] = []
    for defect_class, color in _defects(quantifications):
        names = list(_telling_names(quantifications, defect_class))
        if names:
            groups.append(ColumnGroup(defect_class.name, color, len(names)))
        for name in names:
            label, unit = split_unit(name)  # the method stands below
            columns.append(Column(label.split(",")[0], unit, is_number=True))
            quantities.append(
                [_find(q, defect_class.name, name) for q in quantifications]
            )
            values = told.get((defect_class.name, name), [])
            feet.append(_foot(values, of=len(quantifications)))
    rows = tuple(
        tuple(_cell(column[i]) for column in quantities)
        for i in range(len(quantifications))
    )
    return Overview(
        groups=tuple(groups),
        table=TableView(tuple(columns), rows, len(rows)),
        mean=tuple(mean for mean, _ in feet),
        interval=tuple(interval for _, interval in feet),
    )


def _defects(
    quantifications: Sequence[Quantification],
) -> list[tuple[DefectClass, str]]:
    """Give the defect classes of all schemes, each once, with their colors."""
    found = {
        d.name: (d, hex_color(class_colors(q.scheme)[d.index]))
        for q in quantifications
        for d in q.scheme.defects
    }
    return list(found.values())


def _telling_names(
    quantifications: Sequence[Quantification], defect_class: DefectClass
) -> Iterator[str]:
    """Give the quantities of a class to compare, of those with a value."""
    known = {
        q.name
        for quantification in quantifications
        for q in quantification.quantities
        if q.class_name == defect_class.name and q.value is not None
    }
    size = quantifications[0].settings.size_of(defect_class.name)
    for choices in _TELLING[defect_class.kind]:
        names = (choice.format(size=size) for choice in choices)
        yield from [name for name in names if name in known][:1]


def _find(
    quantification: Quantification, class_name: str, name: str
) -> Quantity | None:
    key = (class_name, name)
    found = (q for q in quantification.quantities if (q.class_name, q.name) == key)
    return next(found, None)


def _cell(quantity: Quantity | None) -> Cell:
    row = None if quantity is None else quantity_row(quantity)
    if quantity is None or quantity.value is None or row is None:
        return Cell(MISSING, "")
    return Cell(row.value, repr(float(quantity.value)))


def _foot(quantities: Sequence[Quantity], *, of: int) -> tuple[str, str]:
    """Give the mean over micrographs and its interval, of two or more values.

    Where not all micrographs have a value the mean says how many do.
    """
    if len(quantities) < 2:
        return MISSING, MISSING
    row = quantity_row(mean_over_fields(quantities))
    if row is None:
        return MISSING, MISSING
    some = f" ({len(quantities)} of {of})" if len(quantities) < of else ""
    return f"{row.value}{some}", row.interval or MISSING
