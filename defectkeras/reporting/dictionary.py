"""The data dictionary: what each column of a table means, and its unit."""

from collections.abc import Mapping

import pandas as pd

from defectkeras.reporting.numbers import split_name

MEANINGS = {
    "area": "pixels of the object, as an area",
    "aspect_ratio": "major over minor axis of the ellipse",
    "centroid_column": "mean column of the pixels, from 0 at the left",
    "centroid_row": "mean row of the pixels, from 0 at the top",
    "chord": "straight distance between the ends of a segment",
    "circularity": "4 pi area / perimeter^2, 1 for a disc",
    "class_name": "defect class",
    "confidence": "mean probability of the class over the pixels",
    "contrast": "mean grey level of the object minus that around it",
    "count": "number of objects off the border",
    "crossing_count": "crossings of the skeleton",
    "edge_weight": "Miles-Lantuejoul weight, 0 for objects at the border",
    "end_count": "free ends of the skeleton",
    "equivalent_diameter": "diameter of the disc of the same area",
    "forbidden_line_weight": "weight of the forbidden-line rule",
    "high": "upper end of the 95 % interval, or of the class of sizes",
    "inner_diameter": "diameter of the inner contour of a loop",
    "label": "number of the object in its micrograph",
    "length": "length of the skeleton, with unbiased weights",
    "low": "lower end of the 95 % interval, or of the class of sizes",
    "major_axis": "major axis of the ellipse of equal second moments",
    "max_feret": "largest distance of two parallel tangents",
    "mean_grey_level": "mean grey level of the pixels, as in the file",
    "method": "names of the methods, joined by +",
    "method_text": "the methods in words",
    "micrograph": "name of the micrograph",
    "middle_diameter": "diameter in the middle of the contrast of a loop",
    "min_feret": "smallest distance of two parallel tangents",
    "minor_axis": "minor axis of the ellipse of equal second moments",
    "name": "name of the quantity; its ending is the unit",
    "orientation": "direction of the major axis, counterclockwise from the rows",
    "perimeter": "length of the outline",
    "probability_density": "share of the objects per unit of size",
    "quantity": "what the size is",
    "reason": "why there is no value",
    "solidity": "area over that of the convex hull",
    "start_column": "column of the first end",
    "start_row": "row of the first end",
    "stop_column": "column of the last end",
    "stop_row": "row of the last end",
    "tilt": "inclination of a loop to the plane of the foil",
    "tortuosity": "length over chord, 1 for a straight line",
    "touches_border": "whether the object is cut by the border or what is unknown",
    "uncertainty": "mean spread of the probability over the pixels",
    "unit": "unit of value, low and high; 1 for a number",
    "value": "the number; empty where it cannot be given",
    "weighted_count": "sum of the edge weights",
    "width": "mean width of the line",
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
