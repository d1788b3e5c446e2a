"""Figures of a prediction against the truth, as SVG files."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from defectkeras.core.palette import Color, hex_color
from defectkeras.core.plurals import counted
from defectkeras.metrics.reliability import ReliabilityCounts
from defectkeras.quantification.size_distances import Sizes, compare_sizes
from defectkeras.quantification.sizes import size_edges
from defectkeras.reporting.numbers import format_value
from defectkeras.reporting.vector import SOFT, draw_svg, svg_element, vector_style

_LEAST_PIXELS = 20  # a bin with fewer says nothing


def draw_reliability(
    curves: Mapping[str, ReliabilityCounts], *, colors: Mapping[str, Color]
) -> str:
    """Draw how often a class is there against how probable it was called.

    Args:
        curves: Class name to counts.
        colors: Class name to color.

    Returns:
        An <svg> element. A point is left out where a bin has less than 20 pixels.
    """
    with vector_style():
        figure = Figure(figsize=(4.6, 4.2))
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 2)))
        for name, counts in curves.items():
            shown = counts.pixels >= _LEAST_PIXELS
            error = format_value(counts.expected_calibration_error)
            axes.plot(
                counts.mean_probability[shown],
                counts.frequency[shown],
                color=hex_color(colors[name]),
                marker="o",
                markersize=4,
                label=f"{name}, error {error}",
            )
        axes.set_title("Reliability (dashed: as it should be)")
        axes.set_xlabel("Predicted probability")
        axes.set_ylabel("Part of the pixels that are of the class")
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.legend(loc="upper left")
        label = "Reliability curves of the classes"
        return svg_element(draw_svg(figure, label), "reliability")


def draw_size_comparison(
    true: Sizes, predicted: Sizes, *, class_name: str, color: Color
) -> str:
    """Draw the predicted size distribution over the true one.

    Args:
        true: Sizes by the annotation.
        predicted: Sizes by the prediction, in the same unit.
        class_name: What was measured.
        color: Of the predicted ones.

    Returns:
        An <svg> element.
    """
    both = np.concatenate([true.diameters, predicted.diameters])
    edges = size_edges(both, min(max(5, len(both) // 10), 25))
    with vector_style():
        figure = Figure(figsize=(4.6, 2.9))
        axes = figure.add_subplot()
        counts, _ = np.histogram(true.diameters, edges)
        axes.stairs(counts, edges, fill=True, color=SOFT, alpha=0.35)
        axes.stairs(
            counts, edges, color=SOFT, label=f"true, {counted(counts.sum(), 'object')}"
        )
        counts, _ = np.histogram(predicted.diameters, edges)
        label = f"predicted, {counted(counts.sum(), 'object')}"
        axes.stairs(counts, edges, color=hex_color(color), linewidth=2, label=label)
        distance = compare_sizes(true, predicted)
        title = f"{class_name}: {distance.reason}"
        if distance.kolmogorov_smirnov is not None and distance.wasserstein is not None:
            title = (
                f"{class_name}: KS {format_value(distance.kolmogorov_smirnov)}, "
                f"Wasserstein {format_value(distance.wasserstein)} {true.unit}"
            )
        axes.set_title(title)
        axes.set_xlabel(f"Diameter ({true.unit})")
        axes.set_ylabel("Objects")
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        axes.legend(loc="upper right")
        label = "Histograms of true and predicted diameters"
        return svg_element(draw_svg(figure, label), "sizes")
