"""Moments: area, centroid and the ellipse with the same second moments."""

from typing import Any

import numpy as np

from defectkeras.quantification.runs import Floats, Runs


def measure_moments(runs: Runs) -> dict[str, Any]:
    """Give area, centroid, ellipse and orientation from sums over runs.

    Args:
        runs: The runs of a label map with N objects.

    Returns:
        (N,) columns, see `measure_objects`.
    """
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
        # No object is narrower than its pixels, whose centers may lie on one line.
        "aspect_ratio": np.maximum(major, 1.0) / np.maximum(minor, 1.0),
        "orientation_deg": angle % 180.0,
    }


def _ellipse_axes(
    var_row: Floats, var_column: Floats, covariance: Floats
) -> tuple[Floats, Floats]:
    """Give 4 sqrt(eigenvalue) of each object's matrix of second moments."""
    mean = (var_row + var_column) / 2
    half_gap = np.hypot((var_row - var_column) / 2, covariance)
    return 4 * np.sqrt(mean + half_gap), 4 * np.sqrt(np.maximum(mean - half_gap, 0))
