"""Lines: how long they are, from the steps of their skeletons.

Length weights. Counting pixels makes straight lines 10 % short on average over
all angles, chessboard paths (1, sqrt 2) make them 5.5 % long. The unbiased
weights are those of Cauchy and Crofton for test lines in four directions,
pi/8 (1 + sqrt 2) = 0.948 for a straight and pi/8 (2 + sqrt 2) = 1.341 for a
diagonal step (Kulpa 1977, doi:10.1016/S0146-664X(77)80021-X).
"""

import math
from typing import Any, Literal

import numpy as np
import pandas as pd

from defectkeras.core.arrays import LabelMap, Mask
from defectkeras.core.calibration import Calibration
from defectkeras.core.names import require_known
from defectkeras.quantification.line_graph import LineGraph, link_lines
from defectkeras.quantification.objects import label_objects
from defectkeras.quantification.runs import Floats, Integers
from defectkeras.quantification.skeletons import (
    Steps,
    TracedLines,
    find_steps,
    trace_lines,
)

LengthWeights = Literal["unbiased", "steps", "pixels"]

STRAIGHT_PX = math.pi / 8 * (1 + math.sqrt(2))
DIAGONAL_PX = math.pi / 8 * (2 + math.sqrt(2))

_STEP_PX = {
    "unbiased": (STRAIGHT_PX, DIAGONAL_PX),
    "steps": (1.0, math.sqrt(2)),
    "pixels": (1.0, 1.0),
}
"""Lengths of a straight and of a diagonal step."""


def step_lengths_px(steps: Steps, weights: LengthWeights = "unbiased") -> Floats:
    """Give the length that each step stands for.

    Args:
        steps: The graph of a skeleton.
        weights: "unbiased", "steps" or "pixels", see `line_length_px`.

    Returns:
        (S,) lengths in px.
    """
    straight, diagonal = _step_px(weights)
    return np.where(steps.is_diagonal, diagonal, straight)


def steps_length_px(
    straight: int, diagonal: int, weights: LengthWeights = "unbiased"
) -> float:
    """Give the length of some steps.

    Args:
        straight: Number of straight steps.
        diagonal: Number of diagonal ones.
        weights: Of the steps, see `line_length_px`.

    Returns:
        Length in px.
    """
    straight_px, diagonal_px = _step_px(weights)
    return straight * straight_px + diagonal * diagonal_px


def path_length_px(path: Integers, weights: LengthWeights = "unbiased") -> float:
    """Give the length of a chain of neighboring pixels.

    Args:
        path: (N, 2) row and column of each pixel, in order.
        weights: Of the steps, see `line_length_px`.

    Returns:
        Length in px.

    Example:
        >>> path_length_px(np.array([[0, 0], [0, 1], [1, 2]]), "steps").__round__(3)
        2.414
    """
    straight, diagonal = _step_px(weights)
    is_diagonal = np.abs(np.diff(path, axis=0)).sum(axis=1) == 2
    return float(np.where(is_diagonal, diagonal, straight).sum())


def line_length_px(skeleton: Mask, weights: LengthWeights = "unbiased") -> float:
    """Give the length of all lines of a skeleton.

    Args:
        skeleton: (H, W) true on lines one pixel wide.
        weights: "unbiased" (0.948 and 1.341 per step: right on average over
            all angles), "steps" (1 and sqrt 2: 5.5 % long) or "pixels" (the
            number of pixels less one per line: 10 % short).

    Returns:
        Length in px.

    Example:
        >>> skeleton = np.eye(11, 15, dtype=bool)
        >>> round(line_length_px(skeleton, "steps"), 3)
        14.142
        >>> round(line_length_px(skeleton), 3)
        13.408
    """
    return float(step_lengths_px(find_steps(skeleton), weights).sum())


def measure_lines(
    mask: Mask,
    calibration: Calibration,
    *,
    class_name: str = "line",
    traced: TracedLines | None = None,
    graph: LineGraph | None = None,
    origin: tuple[int, int] = (0, 0),
) -> pd.DataFrame:
    """Measure each connected line of a mask.

    Lines that touch or cross are one row. The length is that of the skeleton
    in the field, with unbiased weights; the orientation is the length-weighted
    axial mean of the steps, arg(sum of l exp(2 i angle)) / 2, counterclockwise
    from the columns' direction as seen on the screen, in [0, 180) degrees.

    Args:
        mask: (H, W) true on lines some pixels wide.
        calibration: With a pixel size, columns in nm are added.
        class_name: Goes into the column `class_name`.
        traced: The traced mask, when it is there already.
        graph: Of its skeleton, as `traced`.
        origin: Row and column of the micrograph where the mask begins.

    Returns:
        One row per connected line: class_name, label, centroid_row_px,
        centroid_column_px, area_px, length_px, width_px, end_count,
        crossing_count, orientation_deg, touches_border, and
        length_nm, width_nm when the pixel size is known. `width_px` is the
        mean along the skeleton, away from crossings.

    Example:
        >>> mask = np.zeros((40, 60), bool)
        >>> mask[18:21, 10:50] = True
        >>> table = measure_lines(mask, Calibration())
        >>> table[["label", "area_px", "end_count", "touches_border"]]
           label  area_px  end_count  touches_border
        0      1      120          2           False
    """
    label_map = label_objects(mask)
    found = traced or trace_lines(mask)
    count = int(label_map.max())
    columns: dict[str, Any] = {
        "class_name": np.full(count, class_name, dtype=object),
        "label": np.arange(1, count + 1),
        **_measure_components(label_map, count, origin),
        **_measure_steps(found, graph or link_lines(found), label_map, count),
    }
    if calibration.pixel_size_nm is not None:
        for name in ("length", "width"):
            columns[f"{name}_nm"] = columns[f"{name}_px"] * calibration.pixel_size_nm
    return pd.DataFrame(columns)


def _step_px(weights: LengthWeights) -> tuple[float, float]:
    return _STEP_PX[require_known(weights, _STEP_PX, what="length weights")]


def _measure_components(
    label_map: LabelMap, count: int, origin: tuple[int, int]
) -> dict[str, Any]:
    """Give centroid, area and border contact of each connected line."""
    rows, columns = np.nonzero(label_map)
    labels = label_map[rows, columns]
    area = np.bincount(labels, minlength=count + 1)[1:]
    frame = [label_map[0], label_map[-1], label_map[:, 0], label_map[:, -1]]
    touching = np.zeros(count + 1, dtype=bool)
    touching[np.concatenate(frame)] = True
    return {
        "centroid_row_px": np.bincount(labels, rows + origin[0], count + 1)[1:] / area,
        "centroid_column_px": np.bincount(labels, columns + origin[1], count + 1)[1:]
        / area,
        "area_px": area,
        "touches_border": touching[1:],
    }


def _measure_steps(
    traced: TracedLines, graph: LineGraph, label_map: LabelMap, count: int
) -> dict[str, Any]:
    """Give what follows from the skeleton of each connected line."""
    steps = traced.steps
    rows, columns = steps.pixels.T
    pixel_label = label_map[rows, columns]
    step_label = pixel_label[steps.first]

    def add(labels: Integers, values: Any) -> Floats:
        sums = np.bincount(labels, weights=values, minlength=count + 1)
        return sums[1:].astype(np.float64)

    degrees = steps.degrees
    lengths = step_lengths_px(steps)
    angles = np.arctan2(-steps.moves[:, 0], steps.moves[:, 1])
    cosine = add(step_label, lengths * np.cos(2 * angles))
    sine = add(step_label, lengths * np.sin(2 * angles))
    length = add(step_label, lengths)
    across = 2 * traced.half_widths_px[rows, columns]
    known = ~np.isnan(graph.widths_px)
    has_width = np.bincount(pixel_label[known], minlength=count + 1) > 0
    # What is nothing but crossings has the distance to its edge.
    counted = known | ~has_width[pixel_label]
    widths = np.where(known, graph.widths_px, across)[counted]
    pixels = np.maximum(add(pixel_label[counted], np.ones(len(widths))), 1)
    excess = add(pixel_label, np.maximum(degrees - 2, 0)) / 2
    return {
        "length_px": length,
        "width_px": add(pixel_label[counted], widths) / pixels,
        "end_count": add(pixel_label, degrees == 1).astype(np.int64),
        "crossing_count": np.round(excess).astype(np.int64),
        "orientation_deg": np.degrees(np.arctan2(sine, cosine)) / 2 % 180.0,
    }
