"""Figures of a benchmark, as SVG: how good its candidates are, and at what cost."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter
from matplotlib.transforms import Bbox

from defectkeras.core.palette import (
    BLUISH_GREEN,
    ORANGE,
    SKY_BLUE,
    VERMILLION,
    hex_color,
)
from defectkeras.reporting.vector import INK, SOFT, draw_svg, svg_element, vector_style

SCORES = {"iou": "IoU", "boundary_f1": "boundary F1", "object_f1": "object F1"}
NAME_WIDTH = 48  # letters of a line
LINE_INCH = 0.16
NAME_PLACES = ((5, 3, "left"), (5, -9, "left"), (-5, 3, "right"), (-5, -9, "right"))
"""Where a name may stand beside its point: points right, points up, alignment."""
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
    names = [textwrap.fill(name, NAME_WIDTH) for name in table["candidate"]]
    row_inch = LINE_INCH * max(2, *(name.count("\n") + 1 for name in names))
    with vector_style():
        size = (8.2, 0.9 + row_inch * len(table))
        figure = Figure(figsize=size)
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
            axes.set_title(label, loc="center")
        all_axes[0].set_yticks(places, names, fontsize=8)
        return svg_element(draw_svg(figure, "Scores of the candidates"), "scores")


def draw_cost(table: pd.DataFrame) -> str:
    """Draw the IoU of each candidate over the time that a megapixel takes.

    Args:
        table: As for `draw_scores`, with `cpu_seconds_per_megapixel`.

    Returns:
        An <svg> element.
    """
    with vector_style():
        figure = Figure(figsize=(6.4, 4.4))
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
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.set(xlabel="Processor time of a megapixel (s)", ylabel="IoU", ylim=(0, 1))
        axes.margins(x=0.25)
        figure.legend(loc="outside lower center", ncols=4)
        figure.draw_without_rendering()  # so that the places of the points are known
        _name_points(axes, table)
        label = "Accuracy of the candidates over their cost"
        return svg_element(draw_svg(figure, label), "cost")


def _name_points(axes: Axes, table: pd.DataFrame) -> None:
    """Write the name of each candidate beside it, without its arguments.

    Of the `NAME_PLACES` it stands in the first where it covers no point and no other
    name, or in the last.
    """
    named = table[table["group"].isin(["architecture", "method"])]
    points = named[["cpu_seconds_per_megapixel", "iou"]].to_numpy(float)
    taken = [Bbox([p - 3, p + 3]) for p in axes.transData.transform(points)]
    for candidate, point in zip(named["candidate"], points, strict=True):
        for right, up, side in NAME_PLACES:
            name = axes.annotate(
                str(candidate).partition("(")[0],
                tuple(point),
                xytext=(right, up),
                textcoords="offset points",
                horizontalalignment=side,
                fontsize=8,
                color=SOFT,
            )
            name.set_in_layout(False)
            box = name.get_window_extent()
            if (right, up, side) == NAME_PLACES[-1] or not box.count_overlaps(taken):
                taken.append(box)
                break
            name.remove()


def _colors(table: pd.DataFrame) -> list[str]:
    return [hex_color(GROUP_COLORS[group]) for group in table["group"]]
