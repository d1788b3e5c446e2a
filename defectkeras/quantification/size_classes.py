"""The histogram of the diameters of a region class, as seen and unfolded."""

import numpy as np
import pandas as pd

from defectkeras.quantification.densities import PER_NM3_IN_PER_M3
from defectkeras.quantification.region_class import RegionClass
from defectkeras.quantification.sizes import size_distribution
from defectkeras.quantification.unfolding import unfold_sizes


def classify_sizes(region: RegionClass) -> pd.DataFrame:
    """Count the objects of a class in classes of diameter.

    That is the equivalent diameter, and of loops the largest Feret diameter.

    Args:
        region: The class.

    Returns:
        One row per class of diameter: class_name, quantity (the column of the
        objects table), low, high, count, weighted_count, probability_density and
        number_density_per_m3, unfolded from cut objects (`unfold_sizes`), NaN
        without a thickness.
    """
    calibration = region.calibration
    unit = "px" if calibration.pixel_size_nm is None else "nm"
    table = size_distribution(
        region.diameters(unit),
        region.objects["edge_weight"].to_numpy(dtype=np.float64),
    )
    unfolded = np.full(len(table), np.nan)
    if len(table) and region.missing(thickness=True) is None:
        edges_nm = np.append(table["low"], table["high"].iloc[-1])
        per_nm2 = table["weighted_count"].to_numpy(dtype=np.float64) / region.area_nm2
        unfolded = PER_NM3_IN_PER_M3 * unfold_sizes(
            per_nm2,
            edges_nm,
            calibration.require_foil_thickness_nm(),
            extent=region.extent,
        )
    table["number_density_per_m3"] = unfolded
    class_name = region.defect_class.name if len(region.objects) else ""
    table.insert(0, "class_name", class_name)
    table.insert(1, "quantity", f"{region.size_column}_{unit}")
    return table
