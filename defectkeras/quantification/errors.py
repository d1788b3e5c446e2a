"""Errors of the quantities of one micrograph against true ones."""

import numpy as np
import pandas as pd

from defectkeras.quantification.results import Quantification, Quantity

TRUE_IS_ZERO = "the true value is 0: there is a difference, but no relative error"


def compare_quantities(true: Quantification, predicted: Quantification) -> pd.DataFrame:
    """Put the quantities of two quantifications side by side.

    Args:
        true: What is taken as right.
        predicted: What is compared with it.

    Returns:
        One row per quantity that both have: class_name, name, unit, true,
        predicted, difference, relative_error (difference over true), and the
        reason where there is no relative error (which is then NaN).
    """
    others = {(q.class_name, q.name): q for q in predicted.quantities}
    rows = [
        (q.class_name, q.name, q.unit, q.value, other.value, _missing(q, other))
        for q in true.quantities
        if (other := others.get((q.class_name, q.name)))
    ]
    names = ["class_name", "name", "unit", "true", "predicted", "reason"]
    table = pd.DataFrame(rows, columns=names)
    table = table.astype({"true": "float64", "predicted": "float64"})
    difference = table["predicted"] - table["true"]
    table.insert(5, "difference", difference)
    table.insert(6, "relative_error", difference / table["true"].replace(0.0, np.nan))
    return table


def _missing(true: Quantity, predicted: Quantity) -> str:
    """Say why there is no relative error, or nothing."""
    if true.value is None:
        return f"true: {true.reason}"
    if predicted.value is None:
        return f"predicted: {predicted.reason}"
    return TRUE_IS_ZERO if true.value == 0 else ""
