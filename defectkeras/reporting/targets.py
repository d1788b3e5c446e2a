"""What a reader can point at in a picture: the ellipse and the row of each object."""

import json

import numpy as np

from defectkeras.quantification.results import Quantification
from defectkeras.reporting.views import table_view

MAX_TARGETS = 5000
"""A page knows so many objects of a micrograph by the pointer."""


def object_targets(quantification: Quantification) -> str:
    """Give the objects as JSON for the page's script.

    Args:
        quantification: Of a micrograph.

    Returns:
        {"heads": [text], "rows": [[text]], "ellipses": [[x, y, a, b, angle]]}: the
        columns of the table of objects with units, the cells of each object, and
        its ellipse: center and half axes as parts of the picture's width, angle in
        degrees counterclockwise.
    """
    objects = quantification.objects.head(MAX_TARGETS)
    if objects.empty:
        return json.dumps({"heads": [], "rows": [], "ellipses": []})
    view = table_view(objects, max_rows=MAX_TARGETS)
    width = quantification.shape[1]
    ellipses = np.stack(
        [
            (objects["centroid_column_px"] + 0.5) / width,
            (objects["centroid_row_px"] + 0.5) / width,
            objects["major_axis_px"] / 2 / width,
            objects["minor_axis_px"] / 2 / width,
            objects["orientation_deg"],
        ],
        axis=1,
    )
    return json.dumps(
        {
            "heads": [
                f"{c.label} ({c.unit})" if c.unit else c.label for c in view.columns
            ],
            "rows": [[cell.text for cell in row] for row in view.rows],
            "ellipses": np.round(ellipses, 5).tolist(),
        },
        allow_nan=False,
        separators=(",", ":"),
    )
