"""Pictures of a comparison: Bland-Altman, and the fields of all annotators."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from defectkeras.quantification.comparison import Annotator, PairedDifference
from defectkeras.reporting.numbers import split_unit
from defectkeras.reporting.vector import INK, SOFT, label_axis, vector_style

POINT = "#0b5c73"
MODEL = "#b45f06"


def draw_bland_altman(difference: PairedDifference) -> Figure:
    """Draw the differences of two annotators over their means.

    Args:
        difference: With limits of agreement.

    Returns:
        Each field a point; the bias and both limits as lines with their 95 %
        intervals as bars at the right, where the differences vary.
    """
    first, second = difference.values
    limits = difference.limits
    label, unit = split_unit(difference.name)
    with vector_style():
        figure = Figure(figsize=(4.6, 3.0))
        axes = figure.add_subplot()
        axes.axhline(0, color=SOFT, linewidth=0.8)
        if limits is not None:
            beside = axes.get_yaxis_transform()  # x from 0 to 1 over the axes
            for value, interval, style, place in (
                (limits.bias, limits.bias_interval, "solid", 0.965),
                (limits.lower, limits.lower_interval, (0, (4, 2)), 0.98),
                (limits.upper, limits.upper_interval, (0, (4, 2)), 0.995),
            ):
                axes.axhline(value, color=POINT, linewidth=1.2, linestyle=style)
                if interval:
                    ends = [interval.low, interval.high]
                    axes.plot([place] * 2, ends, color=POINT, lw=3, transform=beside)
            axes.margins(x=0.08)
        axes.scatter((first + second) / 2, second - first, s=26, color=INK, zorder=3)
        axes.set_title(f"{difference.class_name}: {label}")
        label_axis(axes.xaxis, "Mean of both", unit)
        label_axis(axes.yaxis, f"{difference.second} − {difference.first}", unit)
    return figure


def draw_fields(
    values: pd.DataFrame, annotators: Sequence[Annotator], class_name: str, name: str
) -> Figure:
    """Draw one quantity of all annotators, each field a line from one to the next.

    Args:
        values: One row for each field, label, class and quantity.
        annotators: In the order of the axis.
        class_name: The class.
        name: The quantity.
    """
    own = values[(values["class_name"] == class_name) & (values["name"] == name)]
    table = own.pivot(index="field", columns="label", values="value")
    label, unit = split_unit(name)
    labels = [a.label for a in annotators if a.label in table]
    with vector_style():
        figure = Figure(figsize=(4.6, 3.0))
        axes = figure.add_subplot()
        places = np.arange(len(labels))
        for row in table[labels].to_numpy(dtype=float):
            axes.plot(places, row, color=SOFT, linewidth=0.8, alpha=0.6)
        for place, annotator in enumerate(a for a in annotators if a.label in table):
            column = table[annotator.label].to_numpy(dtype=float)
            color = MODEL if annotator.is_model else POINT
            axes.scatter(np.full(len(column), place), column, s=22, color=color)
            axes.plot([place - 0.18, place + 0.18], [np.nanmean(column)] * 2, color=INK)
        axes.set_xticks(places, [_short(text) for text in labels])
        axes.set_xlim(-0.5, len(labels) - 0.5)
        axes.set_ylim(bottom=0)
        axes.set_title(f"{class_name}: bars are means")
        label_axis(axes.yaxis, label, unit)
    return figure


def _short(text: str, most: int = 18) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
