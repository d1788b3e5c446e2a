"""The quantities of micrographs as a table."""

from collections.abc import Mapping

import pandas as pd

from defectkeras.quantification.results import Quantification

PARTS = ("counting", "thickness", "pixel_size", "model")


def quantity_table(quantifications: Mapping[str, Quantification]) -> pd.DataFrame:
    """Give all quantities, one row per micrograph, class and quantity.

    Args:
        quantifications: Name of a micrograph to its quantification.

    Returns:
        Value, unit, interval, method and reason of each, and a column for each part
        of its error bar, `sigma_counting` and so on.
    """
    rows = []
    for name, quantification in quantifications.items():
        for quantity in quantification.quantities:
            entry = quantity.to_dict()
            parts = entry.pop("parts")
            sigmas = {f"sigma_{part}": parts.get(part) for part in PARTS}
            rows.append({"micrograph": name, **entry, **sigmas})
    return pd.DataFrame(rows)
