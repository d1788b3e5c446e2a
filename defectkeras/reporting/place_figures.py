"""Figures of how defects lie: neighbors, Ripley's L, orientations."""

import math
from typing import cast

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes
from matplotlib.ticker import MaxNLocator

from defectkeras.core.palette import Color, hex_color
from defectkeras.quantification.neighbors import nearest_distances
from defectkeras.quantification.runs import Floats
from defectkeras.quantification.sizes import count_classes
from defectkeras.reporting.numbers import format_value
from defectkeras.reporting.vector import INK, SOFT, vector_style

_SIZE = (4.6, 2.5)


def draw_neighbors(
    centers: Floats,
    statistics: pd.DataFrame,
    *,
    class_name: str,
    unit: str,
    color: Color,
) -> Figure:
    """Draw the distances of objects to their nearest neighbors.

    Args:
        centers: (N, 2) of the objects, in the unit.
        statistics: Rows of `Places.statistics` of the class.
        class_name: What was measured.
        unit: "nm" or "px".
        color: Of the bars.
    """
    distances = nearest_distances(centers)
    mean = float(distances.mean())
    title = f"{class_name}: mean {format_value(mean)} {unit} (dashed)"
    ratio = _find(statistics, "neighbor_distance_ratio")
    if ratio is not None:
        title += f", {ratio[0]:.2f} × random{_p_text(ratio[1])}"
    with vector_style():
        figure = Figure(figsize=_SIZE)
        axes = figure.add_subplot()
        largest = float(distances.max())
        axes.hist(
            distances,
            bins=count_classes(distances, span=largest),
            range=(0, largest),
            color=hex_color(color),
            edgecolor="white",
            linewidth=0.8,
        )
        axes.axvline(mean, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.set_title(title, fontsize=9)
        axes.set_xlabel(f"Distance to the nearest neighbor ({unit})")
        axes.set_ylabel("Objects")
        axes.set_xlim(left=0)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    return figure


def draw_ripley(
    curves: pd.DataFrame,
    statistics: pd.DataFrame,
    pixel_size: float,
    *,
    class_name: str,
    unit: str,
    color: Color,
) -> Figure:
    """Draw L(r) - r with the envelope of the same objects at random.

    Args:
        curves: Rows of `Places.curves` of the class.
        statistics: Rows of `Places.statistics` of the class.
        pixel_size: In the unit.
        class_name: What was measured.
        unit: "nm" or "px".
        color: Of the curve.
    """
    r = pixel_size * curves["r_px"].to_numpy(dtype=float)
    found, mean, low, high = (
        pixel_size * curves[name].to_numpy(dtype=float) - r
        for name in ("l", "l_mean", "l_low", "l_high")
    )
    known = _find(statistics, "ripley_l")
    with vector_style():
        figure = Figure(figsize=_SIZE)
        axes = figure.add_subplot()
        axes.fill_between(r, low, high, color=SOFT, alpha=0.25, lw=0, label="at random")
        axes.plot(r, mean, color=SOFT, linewidth=0.9)
        axes.plot(r, found, color=hex_color(color), linewidth=1.6, label="found")
        p_text = _p_text(known[1] if known else None)
        axes.set_title(f"{class_name}: Ripley's L{p_text}", fontsize=9)
        axes.set_xlabel(f"Distance r ({unit})")
        axes.set_ylabel(f"L(r) − r ({unit})")
        axes.set_xlim(0, float(r[-1]))
        axes.legend(fontsize=8)
    return figure


def draw_rose(
    rose: pd.DataFrame, statistics: pd.DataFrame, *, class_name: str, color: Color
) -> Figure:
    """Draw how much of the length of lines runs in which direction.

    A line has two directions, so the rose is the same when it is turned by half a
    turn. The area of a sector is its part of the length.

    Args:
        rose: Rows of `Places.orientations` of the class.
        statistics: Rows of `Places.statistics` of the class.
        class_name: What was measured.
        color: Of the sectors.
    """
    low = np.radians(rose["low_deg"].to_numpy(dtype=float))
    width = np.radians(rose["high_deg"].to_numpy(dtype=float)) - low
    radius = np.sqrt(rose["fraction"].to_numpy(dtype=float))
    title = f"{class_name}: part of the length"
    mean, alignment = (
        _find(statistics, name) for name in ("mean_orientation_deg", "alignment")
    )
    if mean is not None and alignment is not None:
        title += f", mean {mean[0]:.0f}°, alignment {alignment[0]:.2f}"
        title += _p_text(alignment[1])
    with vector_style():
        figure = Figure(figsize=(4.6, 2.9))
        axes = cast(PolarAxes, figure.add_subplot(projection="polar"))
        axes.bar(
            np.concatenate([low, low + math.pi]),
            np.tile(radius, 2),
            width=np.tile(width, 2),
            align="edge",
            color=hex_color(color),
            edgecolor="white",
            linewidth=0.8,
        )
        largest = max(float(radius.max()), 1e-9)
        axes.set_rmax(1.05 * largest)
        axes.set_rgrids([largest], [f"{100 * largest**2:.0f} %"], angle=112, fontsize=8)
        axes.set_thetagrids(range(0, 360, 45), fontsize=8)
        axes.grid(color=SOFT, alpha=0.35, linewidth=0.6)
        axes.spines["polar"].set_visible(False)
        figure.suptitle(title, x=0.02, ha="left", fontsize=9)
    return figure


def _find(statistics: pd.DataFrame, name: str) -> tuple[float, float] | None:
    """Give value and p-value of a statistic, or None."""
    rows = statistics[statistics["statistic"] == name]
    if rows.empty:
        return None
    return float(rows["value"].iloc[0]), float(rows["p_value"].iloc[0])


def _p_text(p_value: float | None) -> str:
    """Give a p-value in words; nothing where there is none."""
    if p_value is None or math.isnan(p_value):
        return ""
    return " (p < 0.001)" if p_value < 0.001 else f" (p = {p_value:.2g})"
