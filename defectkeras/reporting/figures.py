"""Figures as SVG text that can stand within an HTML page."""

import io
import re

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from defectkeras.reporting.numbers import format_value
from defectkeras.reporting.palette import Color, hex_color

INK = "#1d2730"
SOFT = "#5b6873"

STYLE = {
    "svg.fonttype": "none",  # letters stay letters: small, sharp and searchable
    "svg.hashsalt": "defectkeras",  # the same figure, the same bytes
    "font.family": "sans-serif",
    "font.size": 10.0,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
}


def draw_size_histogram(
    distribution: pd.DataFrame,
    *,
    class_name: str,
    unit: str,
    color: Color,
    mean: float | None = None,
    figure_id: str,
) -> str:
    """Draw how many objects have which size.

    Args:
        distribution: One row per class of sizes: low, high, count (of objects
            that lie whole in the field).
        class_name: What was counted.
        unit: Of low and high, "nm" or "px".
        color: Of the bars.
        mean: Mean size to mark, or None.
        figure_id: Letters and digits, unlike that of any other figure in the
            page, as names within an SVG are names of the page.

    Returns:
        An <svg> element.
    """
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(4.6, 2.5), layout="constrained")
        axes = figure.add_subplot()
        low = distribution["low"].to_numpy(dtype=float)
        high = distribution["high"].to_numpy(dtype=float)
        axes.bar(
            low,
            distribution["count"].to_numpy(dtype=float),
            width=high - low,
            align="edge",
            color=hex_color(color),
            edgecolor="white",
            linewidth=0.8,
        )
        total = int(np.sum(distribution["count"]))
        title = f"{class_name}, {total} whole objects"
        if mean is not None:
            axes.axvline(mean, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
            title += f", mean {format_value(mean)} {unit} (dashed)"
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel(f"Equivalent diameter ({unit})")
        axes.set_ylabel("Objects")
        axes.set_xlim(left=0)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        label = f"Histogram of the equivalent diameters of {total} objects"
        return figure_to_svg(figure, figure_id, label)


def figure_to_svg(figure: Figure, figure_id: str, label: str) -> str:
    """Give a figure as an <svg> element whose names no other figure has.

    Args:
        figure: The figure.
        figure_id: In front of the element's names.
        label: What it shows, for people who do not see it.
    """
    buffer = io.StringIO()
    names = ("Creator", "Date", "Format", "Type")
    metadata = dict.fromkeys(names)
    figure.savefig(buffer, format="svg", metadata=metadata, transparent=True)
    text = buffer.getvalue()
    svg = text[text.index("<svg") :]
    # Comments say nothing, and a style would hold for the whole page.
    svg = re.sub(r"<!--.*?-->\s*|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{figure_id}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
