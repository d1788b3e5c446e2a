"""Figures of sizes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from defectkeras.core.palette import Color, hex_color
from defectkeras.quantification.intervals import garwood_interval
from defectkeras.quantification.results import Quantity
from defectkeras.quantification.runs import Floats
from defectkeras.quantification.size_fits import SizeFit
from defectkeras.reporting.numbers import format_measured
from defectkeras.reporting.vector import INK, SOFT, vector_style

FIT_NAMES = {"lognormal": "log-normal", "weibull": "Weibull"}


def size_histogram(
    distribution: pd.DataFrame,
    *,
    class_name: str,
    unit: str,
    color: Color,
    size: str = "Equivalent diameter",
    mean: Quantity | None = None,
    fits: Sequence[SizeFit] = (),
) -> Figure:
    """Draw how many objects have which size, with the interval of each count.

    Args:
        distribution: One row per class of sizes: low, high, count.
        class_name: What was counted.
        unit: Of low and high, "nm" or "px".
        color: Of the bars.
        size: What low and high are, in words.
        mean: Mean size to mark, where it has a value.
        fits: Distributions to draw as the counts that they expect.
    """
    with vector_style():
        figure = Figure(figsize=(4.6, 2.5))
        axes = figure.add_subplot()
        low = distribution["low"].to_numpy(dtype=float)
        high = distribution["high"].to_numpy(dtype=float)
        counts = distribution["count"].to_numpy(dtype=float)
        axes.bar(
            low,
            counts,
            width=high - low,
            align="edge",
            color=hex_color(color),
            edgecolor="white",
            linewidth=0.8,
        )
        seen = counts > 0
        ends = [garwood_interval(count) for count in counts[seen]]
        below = counts[seen] - [interval.low for interval in ends]
        above = [interval.high for interval in ends] - counts[seen]
        axes.errorbar(
            (low + high)[seen] / 2,
            counts[seen],
            yerr=[below, above],
            fmt="none",
            ecolor=SOFT,
            elinewidth=0.9,
            gid="counting-intervals",
        )
        title = f"{class_name}, {int(np.sum(distribution['count']))} whole objects"
        if mean is not None and mean.value is not None:
            axes.axvline(mean.value, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
            text, _ = format_measured(mean.value, mean.low, mean.high)
            title += f", mean {text} {unit} (dashed)"
        _draw_fits(axes, fits, low, high, counts)
        axes.set_title(title)
        axes.set_xlabel(f"{size} ({unit})")
        axes.set_ylabel("Objects")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    return figure


def _draw_fits(
    axes: Axes, fits: Sequence[SizeFit], low: Floats, high: Floats, counts: Floats
) -> None:
    """Draw fits as smooth counts per class of the mean width."""
    if not fits or len(low) == 0:
        return
    # A fit is of the sizes above its smallest: of that class it has the upper part.
    seen = np.clip((high - fits[0].smallest) / (high - low), 0, 1)
    total = float(counts @ seen)
    width = float(np.mean(high - low))
    centers = np.linspace(max(low[0] - width, 0.0), high[-1] + width, 200)
    for fit, style in zip(fits, ("solid", (0, (1, 1))), strict=False):
        around = np.stack([centers - width / 2, centers + width / 2])
        expected = fit.part_between(around)[0] * total
        label = f"{FIT_NAMES[fit.name]}, AIC {fit.aic:.1f}"
        axes.plot(centers, expected, color=INK, lw=1.1, ls=style, label=label)
    axes.legend(fontsize=8)
