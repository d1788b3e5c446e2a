"""How fast objects, lines and places are measured, against scikit-image and SciPy.

    python benchmarks/quantification_speed.py

One field of 4096 x 4096 px with 10,000 ellipses and 150 lines; best of several in
one run, so ratios hold on a loaded machine. The table of objects is checked against
that of `regionprops_table` with the same properties.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy import ndimage
from skimage.measure import label, regionprops_table
from skimage.morphology import skeletonize

from defectkeras.core.arrays import LabelMap, Mask
from defectkeras.core.calibration import Calibration
from defectkeras.quantification.neighbors import clark_evans
from defectkeras.quantification.objects import label_objects, measure_objects
from defectkeras.quantification.ripley import default_radii, pair_statistics
from defectkeras.quantification.segments import measure_segments
from defectkeras.quantification.skeletons import trace_lines
from defectkeras.quantification.splitting import split_objects
from defectkeras.quantification.windows import Window

SIDE = 4096
PER_SIDE = 100
PARTNERS = {
    "label": "label",
    "area_px": "area",
    "centroid_row_px": "centroid-0",
    "centroid_column_px": "centroid-1",
    "equivalent_diameter_px": "equivalent_diameter_area",
    "major_axis_px": "axis_major_length",
    "minor_axis_px": "axis_minor_length",
    "orientation_deg": "orientation",
    "max_feret_px": "feret_diameter_max",
    "perimeter_px": "perimeter_crofton",
    "solidity": "solidity",
}
"""Our columns and theirs; their Feret diameter is that of a wider outline."""


def draw_objects(rng: np.random.Generator) -> Mask:
    """Draw ellipses, one in each cell of a grid."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for place in np.ndindex(PER_SIDE, PER_SIDE):
        row, column = ((i + 0.5) * SIDE / PER_SIDE for i in place)
        axes = (int(rng.integers(5, 15)), int(rng.integers(4, 12)))
        angle = float(rng.uniform(0, 180))
        cv2.ellipse(mask, (int(column), int(row)), axes, angle, 0, 360, 1, -1)
    return mask.astype(bool)


def draw_lines(rng: np.random.Generator) -> Mask:
    """Draw straight lines from side to side."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(150):
        start, stop = rng.integers(0, SIDE, 2).tolist()
        ends = ((0, start), (SIDE, stop))
        if rng.random() < 0.5:
            ends = ((start, 0), (stop, SIDE))
        cv2.line(mask, *ends, 1, 5)
    return mask.astype(bool)


def best(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Give the shortest time in seconds, and the result."""
    shortest, result = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest, result


def check_equal(ours: pd.DataFrame, theirs: dict[str, Any]) -> None:
    """Check our table against that of scikit-image."""
    for name, partner in PARTNERS.items():
        expected = np.asarray(theirs[partner])
        if name == "orientation_deg":  # theirs is counted from the rows' axis
            turned = (ours[name] - 90 - np.degrees(expected)) % 180
            turned = np.minimum(turned, 180 - turned)
            np.testing.assert_allclose(
                turned[ours["aspect_ratio"] > 1.01], 0, atol=1e-6
            )
        elif name == "max_feret_px":
            gap = expected - ours[name]
            np.testing.assert_array_equal((gap > -1e-9) & (gap < 1), True)
        else:
            np.testing.assert_allclose(ours[name], expected, rtol=1e-9)


def measure_table(
    label_map: LabelMap, repeats: int, *, compare: bool
) -> list[tuple[str, float, float | None]]:
    """Give name, our time and theirs of the table of objects."""
    ours, table = best(
        lambda: measure_objects(
            label_map, calibration=Calibration(), class_name="void"
        ),
        repeats,
    )
    if not compare:
        return [("table of objects", ours, None)]
    names = tuple(dict.fromkeys(n.split("-")[0] for n in PARTNERS.values()))
    theirs, expected = best(lambda: regionprops_table(label_map, properties=names), 1)
    check_equal(table, expected)
    return [("table of objects, equal values", ours, theirs)]


def main() -> None:
    """Draw, time, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-compare", action="store_true")
    arguments = parser.parse_args()
    repeats, compare = arguments.repeats, not arguments.no_compare
    rng = np.random.default_rng(0)
    mask, lines = draw_objects(rng), draw_lines(rng)
    ours, label_map = best(lambda: label_objects(mask), repeats)
    scipy_s, _ = best(lambda: ndimage.label(mask, np.ones((3, 3))), repeats)
    rows = [("labels, against SciPy", ours, scipy_s)]
    skimage_s, _ = best(lambda: label(mask, connectivity=2), repeats)
    rows.append(("labels, against scikit-image", ours, skimage_s))
    rows += measure_table(label_map, repeats, compare=compare)
    rows.append(("splitting", best(lambda: split_objects(label_map), 1)[0], None))
    ours, traced = best(lambda: trace_lines(lines), 2)
    bare_s, _ = best(lambda: skeletonize(lines), 2)
    rows.append(("traced lines, against a bare skeleton", ours, bare_s))
    components = label_objects(lines)
    ours, _ = best(lambda: measure_segments(traced, components, Calibration()), 1)
    rows.append(("segments and lines", ours, None))
    points, window = rng.uniform(0, SIDE, (PER_SIDE**2, 2)), Window(SIDE, SIDE)
    radii = default_radii(len(points), window)
    ours, _ = best(
        lambda: (
            clark_evans(points, window),
            pair_statistics(points, window, radii),
        ),
        repeats,
    )
    rows.append(("Clark-Evans, K, L and g", ours, None))
    table = Table("step", "ours, s", "theirs, s", "ratio")
    for name, ours, theirs in rows:
        ratio = "" if theirs is None else f"{theirs / ours:.1f}"
        table.add_row(
            name, f"{ours:.3f}", "" if theirs is None else f"{theirs:.3f}", ratio
        )
    Console().print(table)


if __name__ == "__main__":
    main()
