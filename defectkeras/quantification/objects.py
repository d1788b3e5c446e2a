"""Objects: found as connected pixels, measured row by row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from defectkeras.core.arrays import Image, LabelMap, Mask
from defectkeras.core.calibration import Calibration
from defectkeras.quantification.appearance import (
    appearance_columns,
    sum_appearance,
)
from defectkeras.quantification.edges import (
    box_sums,
    forbidden_line_weight,
    miles_lantuejoul_weights,
    whole_field,
)
from defectkeras.quantification.feret import feret_diameters_px
from defectkeras.quantification.hulls import convex_hulls
from defectkeras.quantification.moments import measure_moments
from defectkeras.quantification.perimeters import perimeters_px
from defectkeras.quantification.runs import Floats, Runs, find_runs

LENGTHS = (
    "equivalent_diameter",
    "max_feret",
    "min_feret",
    "major_axis",
    "minor_axis",
    "perimeter",
)
"""Columns in px that get a partner in nm when the pixel size is known."""


def label_objects(mask: Mask, numbers: LabelMap | None = None) -> LabelMap:
    """Number the 8-connected objects of a mask from 1, by their first pixels.

    Args:
        mask: (H, W) true where the class is.
        numbers: (H, W) of objects that are told apart already, or None.

    Returns:
        (H, W) int32, 0 where no object is.

    Example:
        >>> label_objects(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]], bool))
        array([[1, 0, 0],
               [0, 1, 0],
               [0, 0, 0],
               [2, 0, 0]], dtype=int32)
    """
    if numbers is not None:
        return np.where(mask, numbers, 0).astype(np.int32, copy=False)
    label_map, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    return np.asarray(label_map, dtype=np.int32)


def measure_objects(
    label_map: LabelMap,
    *,
    calibration: Calibration,
    class_name: str,
    field: Mask | None = None,
    image: Image | None = None,
    probability: Image | None = None,
    uncertainty: Image | None = None,
    background: Mask | None = None,
) -> pd.DataFrame:
    """Measure each object of a label map.

    The equivalent diameter is that of the disc of equal area, 2 sqrt(A / pi).
    The axes are those of the ellipse with equal second moments. The
    orientation is that of the major axis, counterclockwise from the direction
    of the columns (to the right) as seen on the screen, in [0, 180) degrees.
    The circularity is 4 pi A / P^2, at most 1, and the solidity A over the pixels
    of the convex hull.

    Args:
        label_map: (H, W) int object numbers, 0 where no object is.
        calibration: With a pixel size, columns in nm are added.
        class_name: Goes into the column `class_name`.
        field: (H, W) true where the micrograph is annotated; by default all.
        image: (H, W) grey levels, for `mean_grey_level` and `contrast`.
        probability: (H, W) of the class, for `confidence`.
        uncertainty: (H, W) of the probability, for `uncertainty`.
        background: (H, W) true on the matrix; by default where no object is.

    Returns:
        One row per object, N rows, with the columns class_name, label,
        centroid_row_px, centroid_column_px, area_px, equivalent_diameter_px,
        max_feret_px, min_feret_px, major_axis_px, minor_axis_px, aspect_ratio,
        orientation_deg, touches_border, edge_weight, forbidden_line_weight,
        perimeter_px, circularity, solidity; mean_grey_level, contrast, confidence,
        uncertainty as far as their maps are given, see `appearance_columns`; and
        area_nm2, equivalent_diameter_nm, ... when the pixel size is known.

    Example:
        >>> label_map = np.zeros((20, 30), np.int32)
        >>> label_map[4:8, 5:15] = 1
        >>> table = measure_objects(label_map, calibration=Calibration(0.5),
        ...                         class_name="precipitate")
        >>> table[["area_px", "area_nm2", "max_feret_nm", "orientation_deg"]]
           area_px  area_nm2  max_feret_nm  orientation_deg
        0       40      10.0      5.220153              0.0
    """
    runs = find_runs(label_map)
    sums = sum_appearance(
        label_map,
        runs,
        image=image,
        probability=probability,
        uncertainty=uncertainty,
        background=background,
    )
    return describe_objects(
        runs,
        sums,
        calibration=calibration,
        class_name=class_name,
        field=whole_field(label_map.shape) if field is None else field,
    )


def describe_objects(
    runs: Runs,
    sums: Mapping[str, Floats],
    *,
    calibration: Calibration,
    class_name: str,
    field: Mask,
) -> pd.DataFrame:
    """Give the table of `measure_objects` from what is known of each run.

    Args:
        runs: Of N objects.
        sums: Of `sum_appearance`.
        calibration: With a pixel size, columns in nm are added.
        class_name: Goes into the column `class_name`.
        field: (H, W) true where the micrograph is annotated.

    Returns:
        N rows.
    """
    columns: dict[str, Any] = {
        "class_name": np.full(len(runs.labels), class_name, dtype=object),
        "label": runs.labels,
        **measure_moments(runs),
        **_measure_border(runs, field),
    }
    columns |= _measure_outlines(runs)
    columns |= appearance_columns(runs, sums)
    if calibration.pixel_size_nm is not None:
        size_nm = calibration.pixel_size_nm
        columns["area_nm2"] = columns["area_px"] * size_nm**2
        for name in LENGTHS:
            columns[f"{name}_nm"] = columns[f"{name}_px"] * size_nm
    return pd.DataFrame(columns)


def _measure_outlines(runs: Runs) -> dict[str, Any]:
    """Give what follows from outlines and convex hulls."""
    hulls = convex_hulls(runs)
    area = runs.areas
    perimeter = perimeters_px(runs)
    max_feret, min_feret = feret_diameters_px(hulls)
    return {
        "max_feret_px": max_feret,
        "min_feret_px": min_feret,
        "perimeter_px": perimeter,
        # Above 1 only by the pixels of small objects.
        "circularity": np.minimum(4 * np.pi * area / perimeter**2, 1.0),
        "solidity": area / hulls.areas_px,
    }


def _measure_border(runs: Runs, field: Mask) -> dict[str, Any]:
    """Give border contact and the weights of two edge rules."""
    top, left, bottom, right = runs.boxes
    heights, widths = bottom - top + 1, right - left + 1
    # Whole means: the bounding box and one pixel around it are seen.
    seen = box_sums(field, top - 1, left - 1, bottom + 1, right + 1)
    touches = seen < (heights + 2) * (widths + 2)
    weights = miles_lantuejoul_weights(heights, widths, field)
    before = box_sums(field, runs.row - 1, runs.first - 1, runs.row, runs.last)
    is_cut = before < 2 * (runs.lengths + 1)  # above or at the left
    allowed = runs.sum(is_cut) == 0
    return {
        "touches_border": touches,
        "edge_weight": np.where(touches, 0.0, weights),
        "forbidden_line_weight": np.where(allowed, forbidden_line_weight(field), 0.0),
    }
