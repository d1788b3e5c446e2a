"""The field statistics of a set as text in rows and columns."""

import math
from collections.abc import Sequence

import pandas as pd

from defectkeras.quantification.field_set import summarize_fields
from defectkeras.quantification.results import Quantification
from defectkeras.reporting.comparison_views import TextTable
from defectkeras.reporting.numbers import (
    MISSING,
    format_measured,
    format_value,
    split_unit,
)

HEAD = (
    "Class", "Quantity", "Unit", "Fields", "Mean", "Standard deviation s",
    "95 % interval", "Relative accuracy (%)", "Further fields for 10 %",
)  # fmt: skip


def field_view(quantifications: Sequence[Quantification]) -> TextTable:
    """Give mean, spread, interval and wanted fields of each quantity over a set.

    Args:
        quantifications: Of the fields of one specimen.

    Returns:
        One row per class and quantity that two fields or more have and that is not
        0 in all of them.
    """
    found = summarize_fields(quantifications)
    rows = []
    for row in found[found["mean"] != 0].to_dict("records"):
        label, unit = split_unit(str(row["name"]))
        further = row["further_fields"]
        low, high = (None if pd.isna(row[n]) else row[n] for n in ("low", "high"))
        mean, interval = format_measured(row["mean"], low, high)
        rows.append(
            (
                str(row["class_name"]),
                label,
                unit,
                str(row["fields"]),
                mean,
                format_value(row["standard_deviation"]),
                interval or MISSING,
                f"{row['relative_accuracy_percent']:.0f}",
                MISSING if math.isnan(further) else f"{further:.0f}",
            )
        )
    return TextTable(HEAD, tuple(rows), text_columns=3)
