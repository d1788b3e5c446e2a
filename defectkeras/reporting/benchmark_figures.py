"""Figures of a benchmark, as SVG: how good its candidates are, and at what cost."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from defectkeras.core.palette import (
    BLUISH_GREEN,
    ORANGE,
    SKY_BLUE,
    VERMILLION,
    hex_color,
)
from defectkeras.reporting.vector import INK, SOFT, svg_element, vector_style

SCORES = {"iou": "IoU", "boundary_f1": "boundary F1", "object_f1": "object F1"}
NAME_WIDTH = 44  # letters of a line
GROUP_COLORS = {
    "architecture": SKY_BLUE,
    "upsampling": BLUISH_GREEN,
    "loss": ORANGE,
    "method": VERMILLION,
}


def draw_scores(table: pd.DataFrame) -> str:
    """Draw the mean scores of each candidate with their spread over the folds.

    Args:
        table: One row per candidate: group, candidate, and of each of `SCORES` the
            mean and `<score>_spread`.

    Returns:
        An <svg> element.
    """
    places = np.arange(len(table))[::-1]
    with vector_style():
        figure = Figure(figsize=(8.2, 0.9 + 0.3 * len(table)), layout="constrained")
        all_axes = figure.subplots(1, len(SCORES), sharey=True)
        for axes, (score, label) in zip(all_axes, SCORES.items(), strict=True):
            axes.barh(
                places,
                table[score].fillna(0),
                xerr=table[f"{score}_spread"].fillna(0),
                height=0.7,
                color=_colors(table),
                ecolor=INK,
                error_kw={"elinewidth": 0.9},
            )
            axes.set(xlim=(0, 1), xticks=(0, 0.5, 1), xticklabels=("0", "½", "1"))
            axes.set_title(label, fontsize=10)
            axes.spines[["top", "right"]].set_visible(False)
        names = [textwrap.fill(name, NAME_WIDTH) for name in table["candidate"]]
        all_axes[0].set_yticks(places, names, fontsize=8)
        return svg_element(figure, "scores", "Scores of the candidates")


def draw_cost(table: pd.DataFrame) -> str:
    """Draw the IoU of each candidate over the time that a megapixel takes.

    Args:
        table: As for `draw_scores`, with `cpu_seconds_per_megapixel`.

    Returns:
        An <svg> element.
    """
    with vector_style():
        figure = Figure(figsize=(6.4, 4.4), layout="constrained")
        axes = figure.add_subplot()
        for group, color in GROUP_COLORS.items():
            own = table[table["group"] == group]
            if len(own):
                axes.scatter(
                    own["cpu_seconds_per_megapixel"],
                    own["iou"],
                    color=hex_color(color),
                    label=group,
                    zorder=2,
                )
        _name_points(axes, table)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.set(xlabel="Processor time of a megapixel (s)", ylabel="IoU", ylim=(0, 1))
        axes.margins(x=0.25)
        figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        return svg_element(figure, "cost", "Accuracy of the candidates over their cost")


def _name_points(axes: Axes, table: pd.DataFrame) -> None:
    """Write the name of each candidate beside it, without its arguments."""
    for _, row in table[table["group"].isin(["architecture", "method"])].iterrows():
        axes.annotate(
            str(row["candidate"]).partition("(")[0],
            (row["cpu_seconds_per_megapixel"], row["iou"]),
            xytext=(5, 3),
            textcoords="offset points",
            fontsize=8,
            color=SOFT,
        )


def _colors(table: pd.DataFrame) -> list[str]:
    return [hex_color(GROUP_COLORS[group]) for group in table["group"]]
