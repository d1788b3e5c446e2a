"""Measured quantities beside what was really in a synthetic foil."""

import pandas as pd

from defectkeras.quantification.quantify import Quantification
from defectkeras.synthesis.truth import FoilTruth


def true_quantities(truth: FoilTruth) -> dict[tuple[str, str], float]:
    """Give what is true in the names of the quantities that estimate it.

    Args:
        truth: Of a synthetic micrograph.

    Returns:
        (class name, quantity name) to value; only what the foil holds.
    """
    values: dict[tuple[str, str], float | None] = {}
    if truth.lines.count:
        density = truth.lines.dislocation_density_per_m2
        values["dislocation", "dislocation_density_per_m2"] = density
        values["dislocation", "dislocation_density_intercepts_per_m2"] = density
    for name, region in truth.regions.items():
        if not region.count:
            continue
        values[name, "number_density_per_m3"] = region.number_density_per_m3
        values[name, "mean_equivalent_diameter_nm"] = region.mean_diameter_nm
        values[name, "volume_fraction_percent"] = region.volume_fraction_percent
        values[name, "area_fraction_percent"] = region.area_fraction_percent
    values["void", "swelling_percent"] = truth.swelling_percent
    return {key: value for key, value in values.items() if value}


def compare_with_truth(truth: FoilTruth, measured: Quantification) -> pd.DataFrame:
    """Put measured quantities beside the true ones.

    Args:
        truth: Of a synthetic micrograph.
        measured: From its class map, true or predicted.

    Returns:
        One row per quantity: class_name, name, true, measured, low, high (of the
        95 % interval) and error_percent.
    """
    rows = []
    for (class_name, name), true in true_quantities(truth).items():
        quantity = measured.find(class_name, name)
        rows.append(
            {
                "class_name": class_name,
                "name": name,
                "true": true,
                "measured": quantity.value,
                "low": quantity.low,
                "high": quantity.high,
            }
        )
    columns = ["class_name", "name", "true", "measured", "low", "high"]
    table = pd.DataFrame(rows, columns=columns)
    table = table.astype(dict.fromkeys(columns[2:], "float64"))
    table["error_percent"] = 100 * (table["measured"] / table["true"] - 1)
    return table
