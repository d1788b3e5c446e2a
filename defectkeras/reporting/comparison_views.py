"""A comparison as text in rows and columns, for the page and the terminal."""

from dataclasses import dataclass

import pandas as pd

from defectkeras.quantification.comparison import Comparison, PairedDifference
from defectkeras.reporting.numbers import (
    MISSING,
    format_measured,
    format_value,
    split_unit,
)

WITHIN = {True: "within", False: "outside"}
NO_SPREAD = "no spread"
"""In place of limits of agreement, where all fields have the same difference."""


@dataclass(frozen=True)
class TextTable:
    """A table of text.

    Attributes:
        head: Names of the columns.
        rows: As many texts each.
        text_columns: How many columns from the left are text; the others are
            numbers, aligned to the right.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1


def count_view(comparison: Comparison) -> TextTable:
    """Give defect, count of each annotator, and differences to the first."""
    labels = [a.label for a in comparison.annotators]
    head = ["Defect", f"{labels[0]}, count"]
    for label in labels[1:]:
        head += [f"{label}, count", "difference"]
    rows = []
    for _, row in comparison.count_table().iterrows():
        cells = [str(row["class_name"]), str(row[labels[0]])]
        for label in labels[1:]:
            cells += [str(row[label]), _percent(row[f"difference_percent {label}"])]
        rows.append(tuple(cells))
    return TextTable(tuple(head), tuple(rows))


def pair_view(comparison: Comparison) -> TextTable:
    """Give the agreement of each pair and class."""
    head = ("Pair", "Class", "Pixel IoU", "Precision", "Recall", "Object F1", "Matched")
    rows = []
    for _, row in comparison.pair_table().iterrows():
        scores = [row.get(n) for n in ("pixel_iou", "precision", "recall", "f1")]
        matched = row.get("matched")
        rows.append(
            (
                f"{row['first']} – {row['second']}",
                str(row["class_name"]),
                *(_score(s) for s in scores),
                MISSING if pd.isna(matched) else f"{matched:.0f}",
            )
        )
    return TextTable(head, tuple(rows), text_columns=2)


def kappa_view(comparison: Comparison) -> TextTable:
    """Give the kappas of the pairs and of all."""
    rows = []
    for _, row in comparison.kappa_table().iterrows():
        is_pair = row["statistic"] == "cohen"
        who = f"{row['first']} – {row['second']}" if is_pair else "all"
        cells = [_score(row[name]) for name in ("mean", "min", "max")]
        rows.append(("Cohen" if is_pair else "Fleiss", who, *cells))
    head = ("Kappa", "Annotators", "Mean over fields", "Lowest", "Highest")
    return TextTable(head, tuple(rows), text_columns=2)


def difference_view(comparison: Comparison) -> TextTable:
    """Give Bland-Altman of each pair, class and quantity."""
    head = (
        "Class",
        "Quantity",
        "Pair",
        "Means",
        "Difference",
        "Bias, 95 % interval",
        "Limits of agreement",
    )
    rows = [_difference_cells(d) for d in comparison.differences]
    return TextTable(head, tuple(rows), text_columns=3)


def paired_test_view(comparison: Comparison) -> TextTable:
    """Give the paired tests of each pair, class and quantity."""
    head = ("Class", "Quantity", "Pair", "Fields", "t", "Signed ranks", "Holm")
    rows = []
    for difference in comparison.differences:
        tests = difference.tests
        p_values = (tests.t_p, tests.wilcoxon_p, difference.holm_p)
        cells = _about(difference)
        rows.append((*cells, str(tests.count), *(_p(p) for p in p_values)))
    return TextTable(head, tuple(rows), text_columns=3)


def spread_view(comparison: Comparison) -> TextTable:
    """Give whether each model lies within the people."""
    rows = []
    for spread in comparison.spreads:
        names = {"pixel_iou": "Pixel IoU, least", "object_f1": "Object F1, least"}
        label, unit = split_unit(spread.name)
        share = "" if spread.share_percent is None else f"{spread.share_percent:.0f} %"
        expected = spread.expected_percent
        rows.append(
            (
                spread.model,
                spread.class_name,
                names.get(spread.name, f"{label} ({unit})" if unit else label),
                format_value(spread.model_mean),
                f"{format_value(spread.people_low)} to "
                f"{format_value(spread.people_high)}",
                WITHIN[spread.is_within],
                share,
                "" if expected is None else f"{expected:.0f} %",
            )
        )
    head = (
        "Model",
        "Class",
        "Quantity",
        "Model",
        "People",
        "By the rule",
        "Fields within",
        "One more person",
    )
    return TextTable(head, tuple(rows), text_columns=3)


def _difference_cells(difference: PairedDifference) -> tuple[str, ...]:
    first, second = (float(v) for v in difference.values.mean(axis=1))
    limits = difference.limits
    bias = agreement = MISSING
    ends = None if limits is None else limits.bias_interval
    if limits is not None and ends is None:
        bias, agreement = format_value(limits.bias), NO_SPREAD
    elif limits is not None and ends is not None:
        bias = ", ".join(format_measured(limits.bias, ends.low, ends.high))
        agreement = " to ".join(
            format_value(v, limits.standard_deviation)
            for v in (limits.lower, limits.upper)
        )
    return (
        *_about(difference),
        f"{format_value(first)}, {format_value(second)}",
        _percent(difference.difference_percent),
        bias,
        agreement,
    )


def _about(difference: PairedDifference) -> tuple[str, str, str]:
    """Give class, quantity and pair."""
    label, unit = split_unit(difference.name)
    return (
        difference.class_name,
        f"{label} ({unit})" if unit else label,
        f"{difference.first} – {difference.second}",
    )


def _percent(value: float | None) -> str:
    if value is None or pd.isna(value):
        return MISSING
    return f"{value:+.1f} %".replace("-", "−")


def _score(value: float | None) -> str:
    return MISSING if value is None or pd.isna(value) else f"{value:.3f}"


def _p(value: float | None) -> str:
    if value is None:
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
