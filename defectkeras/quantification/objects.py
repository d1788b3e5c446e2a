"""Objects: found as connected pixels, measured row by row."""

from typing import Any

import cv2
import numpy as np
import pandas as pd

from defectkeras.core.arrays import Image, LabelMap, Mask
from defectkeras.core.calibration import Calibration
from defectkeras.quantification.edges import (
    box_sums,
    miles_lantuejoul_weights,
)
from defectkeras.quantification.feret import feret_diameters_px
from defectkeras.quantification.runs import Floats, Runs, find_runs

LENGTHS = (
    "equivalent_diameter",
    "max_feret",
    "min_feret",
    "major_axis",
    "minor_axis",
)
"""Columns in px that get a partner in nm when the pixel size is known."""


def label_objects(mask: Mask) -> LabelMap:
    """Number the 8-connected objects of a mask from 1.

    Args:
        mask: (H, W) true where the class is.

    Returns:
        (H, W) int32, 0 where no object is.

    Example:
        >>> label_objects(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]], bool))
        array([[1, 0, 0],
               [0, 1, 0],
               [0, 0, 0],
               [2, 0, 0]], dtype=int32)
    """
    _, label_map = cv2.connectedComponents(
        mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    return np.asarray(label_map, dtype=np.int32)


def measure_objects(
    label_map: LabelMap,
    *,
    calibration: Calibration,
    class_name: str,
    image: Image | None = None,
    field: Mask | None = None,
) -> pd.DataFrame:
    """Measure each object of a label map.

    The equivalent diameter is that of the disc of equal area, 2 sqrt(A / pi).
    The axes are those of the ellipse with equal second moments. The
    orientation is that of the major axis, counterclockwise from the direction
    of the columns (to the right) as seen on the screen, in [0, 180) degrees.

    Args:
        label_map: (H, W) int object numbers, 0 where no object is.
        calibration: With a pixel size, columns in nm are added.
        class_name: Goes into the column `class_name`.
        image: (H, W) grey levels, for the column `mean_grey_level`.
        field: (H, W) true where the micrograph is annotated; by default all.

    Returns:
        One row per object, N rows, with the columns class_name, label,
        centroid_row_px, centroid_column_px, area_px, equivalent_diameter_px,
        max_feret_px, min_feret_px, major_axis_px, minor_axis_px, aspect_ratio,
        orientation_deg, touches_border, edge_weight, forbidden_line_weight; and
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
    seen = np.ones(label_map.shape, dtype=bool) if field is None else field
    runs = find_runs(label_map)
    columns: dict[str, Any] = {
        "class_name": np.full(len(runs.labels), class_name, dtype=object),
        "label": runs.labels,
        **_measure_moments(runs),
        **_measure_border(runs, seen),
    }
    columns["max_feret_px"], columns["min_feret_px"] = feret_diameters_px(runs)
    if image is not None:
        columns["mean_grey_level"] = _mean_grey_levels(label_map, image, runs)
    if calibration.pixel_size_nm is not None:
        size_nm = calibration.pixel_size_nm
        columns["area_nm2"] = columns["area_px"] * size_nm**2
        for name in LENGTHS:
            columns[f"{name}_nm"] = columns[f"{name}_px"] * size_nm
    return pd.DataFrame(columns)


def _measure_moments(runs: Runs) -> dict[str, Any]:
    """Give area, centroid, ellipse and orientation from sums over runs."""
    first, last, row = (a.astype(np.float64) for a in (runs.first, runs.last, runs.row))
    n = last - first + 1
    middle = (first + last) / 2
    area = runs.sum(n)
    centroid_row = runs.sum(n * row) / area
    centroid_column = runs.sum(n * middle) / area
    # Central moments, relative to the centroid; a run of n pixels has the
    # variance (n^2 - 1) / 12 along itself.
    dr = row - centroid_row[runs.index]
    dc = middle - centroid_column[runs.index]
    var_row = runs.sum(n * dr**2) / area
    var_column = runs.sum(n * (dc**2 + (n**2 - 1) / 12)) / area
    covariance = runs.sum(n * dr * dc) / area
    major, minor = _ellipse_axes(var_row, var_column, covariance)
    # Rows grow downwards, so the angle on the screen takes a minus sign.
    angle = 0.5 * np.degrees(np.arctan2(-2 * covariance, var_column - var_row))
    return {
        "centroid_row_px": centroid_row,
        "centroid_column_px": centroid_column,
        "area_px": area.astype(np.int64),
        "equivalent_diameter_px": 2 * np.sqrt(area / np.pi),
        "major_axis_px": major,
        "minor_axis_px": minor,
        "aspect_ratio": np.divide(
            major, minor, out=np.ones_like(major), where=minor > 0
        ),
        "orientation_deg": angle % 180.0,
    }


def _ellipse_axes(
    var_row: Floats, var_column: Floats, covariance: Floats
) -> tuple[Floats, Floats]:
    """Give 4 sqrt(eigenvalue) of each object's matrix of second moments."""
    mean = (var_row + var_column) / 2
    half_gap = np.hypot((var_row - var_column) / 2, covariance)
    return 4 * np.sqrt(mean + half_gap), 4 * np.sqrt(np.maximum(mean - half_gap, 0))


def _measure_border(runs: Runs, field: Mask) -> dict[str, Any]:
    """Give border contact and the weights of two edge rules."""
    rows, columns = field.shape
    starts = runs.starts
    if len(starts) == 0:
        empty = np.zeros(0)
        return {
            "touches_border": empty.astype(bool),
            "edge_weight": empty,
            "forbidden_line_weight": empty,
        }
    top = np.minimum.reduceat(runs.row, starts)
    bottom = np.maximum.reduceat(runs.row, starts)
    left = np.minimum.reduceat(runs.first, starts)
    right = np.maximum.reduceat(runs.last, starts)
    heights, widths = bottom - top + 1, right - left + 1
    # Whole means: the bounding box and one pixel around it are seen.
    seen = box_sums(field, top - 1, left - 1, bottom + 1, right + 1)
    touches = seen < (heights + 2) * (widths + 2)
    weights = miles_lantuejoul_weights(heights, widths, field)
    allowed = (top > 0) & (left > 0)
    forbidden_lines = field.size / ((rows - 1) * (columns - 1)) if rows > 1 else 1.0
    return {
        "touches_border": touches,
        "edge_weight": np.where(touches, 0.0, weights),
        "forbidden_line_weight": np.where(allowed, forbidden_lines, 0.0),
    }


def _mean_grey_levels(label_map: LabelMap, image: Image, runs: Runs) -> Floats:
    """Give the mean grey level of each object."""
    inside = label_map > 0
    index = np.searchsorted(runs.labels, label_map[inside])
    counts = np.bincount(index, minlength=len(runs.labels))
    sums = np.bincount(index, weights=image[inside], minlength=len(runs.labels))
    return np.asarray(sums / counts, dtype=np.float64)
