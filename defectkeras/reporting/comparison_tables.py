"""A comparison as tables for other programs."""

import dataclasses
from typing import Any

import pandas as pd

from defectkeras.quantification.comparison import Comparison, PairedDifference
from defectkeras.reporting.tables import plain_rows


def comparison_tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Give all tables of a comparison, by name.

    Args:
        comparison: What was compared.

    Returns:
        counts, agreement, kappa, differences and spread, over all fields; and
        values, field_pixels, field_objects and field_kappa, one row for each field.
    """
    spreads = [dataclasses.asdict(s) for s in comparison.spreads]
    return {
        "counts": comparison.count_table(),
        "agreement": comparison.pair_table(),
        "kappa": comparison.kappa_table(),
        "differences": pd.DataFrame(map(_difference_row, comparison.differences)),
        "spread": pd.DataFrame(spreads),
        "values": comparison.values,
        "field_pixels": comparison.pixels,
        "field_objects": comparison.objects,
        "field_kappa": comparison.kappas,
    }


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison, ready for JSON: numbers that are missing are None."""
    return {
        "annotators": [dataclasses.asdict(a) for a in comparison.annotators],
        "classes": [dataclasses.asdict(c) for c in comparison.scheme.defects],
        "fields": list(comparison.fields),
        "min_iou": comparison.min_iou,
        "notes": list(comparison.notes),
        **{name: plain_rows(t) for name, t in comparison_tables(comparison).items()},
    }


def _difference_row(difference: PairedDifference) -> dict[str, Any]:
    """Give the row of a pair, class and quantity: Bland-Altman and tests."""
    first, second = difference.values.mean(axis=1)
    row: dict[str, Any] = {
        "class_name": difference.class_name,
        "name": difference.name,
        "unit": difference.unit,
        "first": difference.first,
        "second": difference.second,
        "fields": len(difference.fields),
        "first_mean": float(first),
        "second_mean": float(second),
        "difference_percent": difference.difference_percent,
    }
    limits = difference.limits
    names = ("bias", "lower_limit", "upper_limit")
    row |= dict.fromkeys(f"{n}{e}" for n in names for e in ("", "_low", "_high"))
    if limits is not None:
        row["bias"] = limits.bias
        values = (limits.bias, limits.lower, limits.upper)
        ends = (limits.bias_interval, limits.lower_interval, limits.upper_interval)
        for name, value, interval in zip(names, values, ends, strict=True):
            if interval:
                row |= {name: value}
                row |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row | {
        "paired_t_p": difference.tests.t_p,
        "wilcoxon_p": difference.tests.wilcoxon_p,
        "wilcoxon_p_holm": difference.holm_p,
        "no_test_because": difference.tests.reason,
    }
