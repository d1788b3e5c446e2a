"""How the defects of a micrograph lie: among themselves, to each other, and turned.

Beside every statistic stands what chance alone would give, and its p-value.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, Mask
from defectkeras.core.labels import DefectClass
from defectkeras.quantification.class_distances import class_distances
from defectkeras.quantification.edges import whole_field
from defectkeras.quantification.hard_core import (
    SIMULATIONS,
    Arrangement,
    compare_with_random,
)
from defectkeras.quantification.neighbors import clark_evans
from defectkeras.quantification.orientations import axial_statistics, orientation_rose
from defectkeras.quantification.results import Quantification
from defectkeras.quantification.ripley import default_radii
from defectkeras.quantification.runs import Floats
from defectkeras.quantification.windows import Window

FEWEST = 10
"""Fewer objects say nothing about how they lie."""

FEWEST_SEGMENTS = 10
"""Fewer segments of lines make no rose."""

MOST = 20_000
"""Of more objects those in the middle of the field are taken."""

MOST_PX = 40_000_000
"""Distances between classes are measured in a map of so many pixels at most."""

NOT_WHOLE = (
    "Distances from one class to another are those in the middle of the field only."
)


NO_ROOM = "{}: no Ripley's L, as the objects find no room at random without overlap."


@dataclass(frozen=True, eq=False)
class Places:
    """How the defects of a micrograph lie.

    Attributes:
        statistics: One row per class and statistic: class_name, statistic,
            other_class (or empty), count, value, expected (by chance), p_value.
            The statistics are "clark_evans" (Donnelly, against points),
            "neighbor_distance_ratio" and "ripley_l" (largest deviation in px,
            against the same objects at random without overlap),
            "mean_distance_px" and "touching_fraction" (to another class), and
            "mean_orientation_deg" and "alignment" (of lines).
        curves: One row per class and radius: class_name, r_px, k, l, g and the
            envelopes of l and g, such as l_low and l_high; r_nm when known.
        orientations: One row per line class and sector: class_name, low_deg,
            high_deg, weight (length in px), fraction; of `FEWEST_SEGMENTS` or more.
        notes: What was left out, one sentence each.
    """

    statistics: pd.DataFrame
    curves: pd.DataFrame
    orientations: pd.DataFrame
    notes: tuple[str, ...] = ()


def measure_places(
    quantification: Quantification,
    class_map: ClassMap,
    *,
    all_annotated: bool = False,
    simulations: int = SIMULATIONS,
) -> Places:
    """Measure how the defects of a class map lie.

    Args:
        quantification: Of the class map.
        class_map: (H, W) class indices; may be mapped from a file.
        all_annotated: Whether no pixel is without annotation, so that not all have
            to be read.
        simulations: Random fields for the envelopes.

    Returns:
        The statistics; classes of fewer than `FEWEST` objects are left out, and of
        more than `MOST` those in the middle of the field are taken. Distances between
        classes are those in the middle `MOST_PX` of the field.
    """
    shape = quantification.shape
    field = whole_field(shape) if all_annotated else class_map != NOT_ANNOTATED
    rows: list[dict[str, Any]] = []
    curves, roses = [pd.DataFrame(columns=list(_CURVES))], []
    notes: list[str] = []
    for defect_class in quantification.scheme.defects:
        name = defect_class.name
        if defect_class.kind == "line":
            found = _rows_of(quantification.segments, name)
            rows += _orientation_rows(name, found)
            if len(found) >= FEWEST_SEGMENTS:
                roses.append(_rose(name, found))
            notes += _too_few(name, found)
            continue
        found = _rows_of(quantification.objects, name)
        if len(found) < FEWEST:
            continue
        inner, middle = _in_the_middle(found, shape)
        window, points = Window.of_field(field[middle]), _points(inner, middle)
        rows += _neighbor_rows(name, points, window)
        radii = default_radii(len(points), window)
        seed = [quantification.settings.seed, *name.encode()]  # each class its own
        half_widths = inner["min_feret_px"].to_numpy(dtype=np.float64) / 2
        compared = compare_with_random(
            points, half_widths, window, radii, seed=seed, simulations=simulations
        )
        if compared is None:
            notes.append(NO_ROOM.format(name))
        else:
            rows += _random_rows(name, len(points), compared)
            curves.append(_curve(name, compared.curves))
        rows += _distance_rows(defect_class, found, quantification, class_map, field)
    if math.prod(shape) > MOST_PX and any(r["other_class"] for r in rows):
        notes.append(NOT_WHOLE)
    curve_table = pd.concat([c for c in curves if len(c)] or curves)
    pixel_size_nm = quantification.calibration.pixel_size_nm
    if pixel_size_nm is not None:
        curve_table["r_nm"] = curve_table["r_px"].astype(np.float64) * pixel_size_nm
    return Places(
        pd.DataFrame(rows, columns=list(_STATISTICS)),
        curve_table.reset_index(drop=True),
        pd.concat(roses, ignore_index=True) if roses else pd.DataFrame(columns=_ROSE),
        tuple(notes),
    )


_STATISTICS = (
    "class_name", "statistic", "other_class", "count", "value", "expected", "p_value",
)  # fmt: skip
_CURVES = (
    "class_name", "r_px", "k", "l", "g", "l_mean", "l_low", "l_high", "g_mean",
    "g_low", "g_high",
)  # fmt: skip
_ROSE = ["class_name", "low_deg", "high_deg", "weight", "fraction"]


def _row(
    class_name: str,
    statistic: str,
    count: int,
    value: float,
    expected: float | None,
    p_value: float | None,
    other_class: str = "",
) -> dict[str, Any]:
    numbers = [np.nan if v is None else v for v in (value, expected, p_value)]
    values = (class_name, statistic, other_class, count, *numbers)
    return dict(zip(_STATISTICS, values, strict=True))


def _rows_of(table: pd.DataFrame, class_name: str) -> pd.DataFrame:
    """Give the rows of one class; a table may be empty of columns, too."""
    return table[table["class_name"] == class_name] if len(table) else table


def _in_the_middle(
    objects: pd.DataFrame, shape: tuple[int, int], most_px: float = math.inf
) -> tuple[pd.DataFrame, tuple[slice, slice]]:
    """Give at most about `MOST` objects, and the part of the field they lie in."""
    share = min(
        1.0, math.sqrt(MOST / len(objects)), math.sqrt(most_px / math.prod(shape))
    )
    sides = [round(n * share) for n in shape]
    rows, columns = (
        slice((n - side) // 2, (n - side) // 2 + side)
        for n, side in zip(shape, sides, strict=True)
    )
    if share == 1.0:
        return objects, (rows, columns)
    row, column = objects["centroid_row_px"], objects["centroid_column_px"]
    inside = (row >= rows.start) & (row + 1 <= rows.stop)
    inside &= (column >= columns.start) & (column + 1 <= columns.stop)
    return objects[inside], (rows, columns)


def _points(objects: pd.DataFrame, part: tuple[slice, slice]) -> Floats:
    """Give (N, 2) centers from the corner of a part of the field."""
    centers = objects[["centroid_row_px", "centroid_column_px"]].to_numpy() + 0.5
    return np.asarray(centers - (part[0].start, part[1].start), dtype=np.float64)


def _random_rows(
    name: str, count: int, compared: Arrangement
) -> Iterator[dict[str, Any]]:
    """Give how objects lie beside the same ones at random."""
    yield _row(name, "neighbor_distance_ratio", count, compared.distance_ratio,
               1.0, compared.distance_p)  # fmt: skip
    yield _row(name, "ripley_l", count, _largest(compared.curves), 0.0,
               compared.curve_p)  # fmt: skip


def _distance_rows(
    one: DefectClass,
    objects: pd.DataFrame,
    quantification: Quantification,
    class_map: ClassMap,
    field: Mask,
) -> Iterator[dict[str, Any]]:
    """Give how far the objects of a class are from the others."""
    found, middle = _in_the_middle(objects, quantification.shape, MOST_PX)
    if len(found) < FEWEST:
        return
    window, points = Window.of_field(field[middle]), _points(found, middle)
    radii = found["equivalent_diameter_px"].to_numpy(dtype=np.float64) / 2
    part = class_map[middle]
    for other in _others(quantification.scheme.defects, one, part):
        far = class_distances(
            points,
            radii,
            part == other.index,
            window,
            apart=other.kind == "region",
            seed=[quantification.settings.seed, *f"{one.name}\n{other.name}".encode()],
        )
        yield _row(one.name, "mean_distance_px", len(points), far.mean_px,
                   far.random_mean_px, far.p_value, other.name)  # fmt: skip
        yield _row(one.name, "touching_fraction", len(points), far.touching_fraction,
                   far.random_touching_fraction, None, other.name)  # fmt: skip


def _others(
    defects: tuple[DefectClass, ...], one: DefectClass, class_map: ClassMap
) -> Iterator[DefectClass]:
    """Give the other classes that are somewhere in the map."""
    for other in defects:
        if other != one and (class_map == other.index).any():
            yield other


def _neighbor_rows(
    name: str, points: Floats, window: Window
) -> Iterator[dict[str, Any]]:
    found = clark_evans(points, window)
    yield _row(
        name, "mean_neighbor_distance_px", found.count, found.mean_distance, None, None
    )
    if found.donnelly is not None:
        yield _row(name, "clark_evans", found.count, found.donnelly, 1.0, found.p_value)


def _largest(curves: pd.DataFrame) -> float:
    """Give the largest deviation of L from its mean, with its sign."""
    deviation = (curves["l"] - curves["l_mean"]).to_numpy(dtype=np.float64)
    return float(deviation[np.abs(deviation).argmax()])


def _curve(name: str, curves: pd.DataFrame) -> pd.DataFrame:
    table = curves.rename(columns={"r": "r_px"})
    table.insert(0, "class_name", name)
    return table


def _orientation_rows(name: str, segments: pd.DataFrame) -> list[dict[str, Any]]:
    count = len(segments)
    if count == 0:
        return []
    found = axial_statistics(*_orientations(segments))
    return [
        _row(name, "mean_orientation_deg", count, found.mean_deg, None, None),
        _row(name, "alignment", count, found.alignment, None, found.p_value),
    ]


def _too_few(name: str, segments: pd.DataFrame) -> list[str]:
    """Say that lines are too few for a rose, if there are any."""
    if not 0 < len(segments) < FEWEST_SEGMENTS:
        return []
    return [
        f"{name}: no rose of orientations, which wants {FEWEST_SEGMENTS} segments of "
        f"line or more. There are {len(segments)}."
    ]


def _rose(name: str, segments: pd.DataFrame) -> pd.DataFrame:
    rose = orientation_rose(*_orientations(segments))
    rose.insert(0, "class_name", name)
    return rose


def _orientations(segments: pd.DataFrame) -> tuple[Floats, Floats]:
    return (
        segments["orientation_deg"].to_numpy(dtype=np.float64),
        segments["length_px"].to_numpy(dtype=np.float64),
    )
