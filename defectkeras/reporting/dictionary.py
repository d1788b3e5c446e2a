"""The data dictionary: what each column of a table means, and its unit."""

from collections.abc import Mapping

import pandas as pd

from defectkeras.reporting.numbers import split_name

MEANINGS = {
    "aic": "Akaike's information criterion, less is better",
    "alignment": "0 for all ways alike to 1 for parallel",
    "area": "pixels of the object, as an area",
    "aspect_ratio": "major over minor axis of the ellipse, each 1 px at least",
    "centroid_column": "mean column of the pixels, from 0 at the left",
    "centroid_row": "mean row of the pixels, from 0 at the top",
    "chord": "straight distance between the ends of a segment or line",
    "circularity": "4 pi area / perimeter^2, 1 for a disc",
    "class_name": "defect class",
    "confidence": "mean probability of the class over the pixels",
    "contrast": "mean grey level of the object minus that around it",
    "count": "number of objects (of sizes: off the border) or of segments",
    "crossing_count": "crossings of the skeleton",
    "distance": "largest difference of the distribution functions (Kolmogorov)",
    "edge_weight": "Miles-Lantuejoul weight, 0 for objects at the border",
    "end_count": "free ends of the skeleton",
    "equivalent_diameter": "diameter of the disc of the same area",
    "expected": "value of the statistic by chance",
    "fields": "number of fields",
    "forbidden_line_weight": "weight of the forbidden-line rule",
    "fraction": "part of the length in this sector",
    "further_fields": "further fields for the wished accuracy (ASTM E562, E1245)",
    "g": "pair correlation",
    "g_high": "upper end of the envelope: by chance 2.5 % are above",
    "g_low": "lower end of the envelope: by chance 2.5 % are below",
    "g_mean": "mean g of the simulations",
    "high": "upper end of the 95 % interval, or of the class of sizes or angles",
    "inner_diameter": "diameter of the inner contour of a loop",
    "k": "Ripley's K, in px^2",
    "l": "L = sqrt(K / pi), in px",
    "l_high": "upper end of the envelope: by chance 2.5 % are above, in px",
    "l_low": "lower end of the envelope: by chance 2.5 % are below, in px",
    "l_mean": "mean L of the simulations, in px",
    "label": "number of the object or connected line among those of its class",
    "length": "length of the skeleton, without the corrections of line_length",
    "line": "number of the line in traces.csv, continued straight",
    "loop_view": "edge_on or ellipse, how a loop is seen",
    "low": "lower end of the 95 % interval, or of the class of sizes or angles",
    "major_axis": "major axis of the ellipse of equal second moments",
    "max_feret": "largest distance of two parallel tangents",
    "mean": "mean over the fields, or of the fitted distribution",
    "mean_grey_level": "mean grey level of the pixels, as in the file",
    "method": "names of the methods, joined by +",
    "method_text": "the methods in words",
    "micrograph": "name of the micrograph",
    "middle_diameter": "diameter in the middle of the contrast of a loop",
    "min_feret": "smallest distance of two parallel tangents",
    "minor_axis": "minor axis of the ellipse of equal second moments",
    "name": "name of the quantity; its ending is the unit",
    "number_density": "objects per volume",
    "orientation": (
        "of the major axis, of a line its mean weighted by length; counterclockwise "
        "from the way to the right"
    ),
    "other_class": "class to which distances are taken",
    "p_value": "chance of a value as far off as this one",
    "perimeter": "length of the outline",
    "probability_density": "share of the objects per unit of size",
    "quantity": "what the size is",
    "r": "distance between two objects",
    "reason": "why there is no value",
    "relative_accuracy": (
        "t_(n-1) s / sqrt(n) over the mean (ASTM E562); empty where no field differs"
    ),
    "scale": "median of the log-normal, or Weibull's scale, in the unit of the sizes",
    "segment_count": "segments that make the line",
    "shape": "sigma of ln d of the log-normal, or Weibull's exponent",
    "sigma_calibration": "part of the standard error from pixel size and thickness",
    "sigma_counting": "part of the standard error from counting",
    "sigma_fields": "standard error from field to field",
    "sigma_model": "part of the standard error from the model",
    "sigma_pixel_size": "part of the standard error from the pixel size",
    "sigma_thickness": "part of the standard error from the foil thickness",
    "smallest": "size from which on the fit holds",
    "solidity": "area over that of the convex hull",
    "standard_deviation": "standard deviation over the fields",
    "start_column": "column of the first end",
    "start_kind": "end, junction or border, where a segment starts",
    "start_row": "row of the first end",
    "statistic": "name of the statistic",
    "stop_column": "column of the last end",
    "stop_kind": "end, junction or border, where a segment stops",
    "stop_row": "row of the last end",
    "tilt": "inclination of a loop to the plane of the foil",
    "tortuosity": "length in steps of 8 px over the chord, 1 for a straight line",
    "touches_border": "whether the border cuts it, or what is unknown an object",
    "uncertainty": "mean spread of the probability over the pixels",
    "unit": "unit of value, low and high; 1 for a number",
    "value": "the number; empty where it cannot be given",
    "weight": "length in this sector, in px",
    "weighted_count": "sum of the edge weights",
    "width": "mean over rays across the line, away from crossings",
}
"""Name of a column without its unit to what it means."""


def data_dictionary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Describe every column of some tables.

    Args:
        tables: Name of a file to its table.

    Returns:
        One row per column: table, column, unit, meaning; the meaning is empty for
        a column that `MEANINGS` does not know.

    Example:
        >>> objects = pd.DataFrame({"area_nm2": [3.0]})
        >>> data_dictionary({"objects.csv": objects}).to_dict("records")[0]["meaning"]
        'pixels of the object, as an area'
    """
    rows = []
    for name, table in tables.items():
        for column in map(str, table.columns):
            stem, unit = split_name(column)
            meaning = MEANINGS.get(stem, "")
            rows.append((name, column, unit, meaning))
    return pd.DataFrame(rows, columns=["table", "column", "unit", "meaning"])
