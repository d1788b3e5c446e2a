"""The plots of a training log, as pixels: confusion, calibration, sizes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from defectkeras.core.labels import LabelScheme
from defectkeras.core.palette import class_colors, hex_color
from defectkeras.metrics import ReliabilityCounts
from defectkeras.metrics.pixels import Counts
from defectkeras.training.details import Diameters
from defectkeras.training.figure import new_figure, to_pixels
from defectkeras.training.log_budget import PLOT_SIZE_PX

MAX_NUMBERED_CLASSES = 12  # more numbers than these could not be read
CALIBRATION_BINS = 10
SIZE_BINS = 16
MAX_SIZE_PLOTS = 4


def draw_confusion(counts: Counts, scheme: LabelScheme) -> NDArray[np.uint8]:
    """Draw what became of the pixels of each annotated class, in percent.

    Args:
        counts: (K, K), annotated classes in rows, predicted ones in columns.
        scheme: The K classes.

    Returns:
        (H, W, 3) uint8.
    """
    sums = counts.sum(axis=1, keepdims=True)
    shares = 100.0 * counts / np.maximum(sums, 1)
    figure = new_figure(PLOT_SIZE_PX)
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    figure.colorbar(picture, label="% of the annotated pixels")
    names = [c.name for c in scheme.classes]
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("annotated")
    if len(names) <= MAX_NUMBERED_CLASSES:
        for (row, column), share in np.ndenumerate(shares):
            text = f"{share:.1f}" if sums[row] else "–"
            color = "white" if share > 50 else "black"
            axes.text(column, row, text, ha="center", va="center", color=color)
    return to_pixels(figure)


def draw_calibration(
    reliability: Mapping[int, ReliabilityCounts], scheme: LabelScheme
) -> NDArray[np.uint8]:
    """Draw how often a class is there against the probability it was given.

    Args:
        reliability: Defect class index to its counts.
        scheme: The classes.

    Returns:
        (H, W, 3) uint8.
    """
    figure = new_figure(PLOT_SIZE_PX)
    axes = figure.add_subplot()
    colors = class_colors(scheme)
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="perfect")
    for defect in scheme.defects:
        counts = merge_bins(reliability[defect.index], CALIBRATION_BINS)
        error = counts.expected_calibration_error
        axes.plot(
            counts.mean_probability,
            counts.frequency,
            marker="o",
            color=hex_color(colors[defect.index]),
            label=f"{defect.name}, error {error:.3f}",
        )
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_xlabel("mean probability")
    axes.set_ylabel("share of pixels that are the class")
    axes.legend(loc="upper left")
    return to_pixels(figure)


def draw_sizes(
    annotated_px: Mapping[int, Sequence[Diameters]],
    predicted_px: Mapping[int, Sequence[Diameters]],
    scheme: LabelScheme,
) -> NDArray[np.uint8]:
    """Draw the sizes of predicted objects against those of annotated ones.

    The first four region classes are drawn; a scheme without one gives a picture
    that says so.

    Args:
        annotated_px: Region class index to diameters, an array (N,) per micrograph.
        predicted_px: Likewise.
        scheme: The classes.

    Returns:
        (H, W, 3) uint8.
    """
    figure = new_figure(PLOT_SIZE_PX)
    colors = class_colors(scheme)
    shown = list(annotated_px)[:MAX_SIZE_PLOTS]
    if not shown:
        figure.text(0.5, 0.5, "No class of kind region", ha="center")
    rows = 1 if len(shown) <= 2 else 2
    for place, index in enumerate(shown, start=1):
        axes = figure.add_subplot(rows, -(-len(shown) // rows), place)
        annotated, predicted = (
            np.concatenate(sizes[index]) for sizes in (annotated_px, predicted_px)
        )
        _draw_sizes(axes, annotated, predicted, hex_color(colors[index]))
        axes.set_title(scheme.classes[index].name, loc="left", fontsize=10)
    return to_pixels(figure)


def _draw_sizes(
    axes: Axes, annotated: Diameters, predicted: Diameters, color: str
) -> None:
    largest = max([1.0, *annotated, *predicted])
    edges = np.linspace(0.0, largest, SIZE_BINS + 1).tolist()
    name = f"predicted, {len(predicted)}"
    axes.hist(predicted, edges, color=color, alpha=0.6, label=name)
    name = f"annotated, {len(annotated)}"
    axes.hist(annotated, edges, histtype="step", color="black", label=name)
    axes.set_xlabel("equivalent diameter (px)")
    axes.set_ylabel("objects")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.legend(fontsize=8)


def merge_bins(counts: ReliabilityCounts, num_bins: int) -> ReliabilityCounts:
    """Give the same counts in fewer bins; their number must part evenly."""
    arrays = (counts.pixels, counts.right, counts.probability_sum)
    return ReliabilityCounts(*(a.reshape(num_bins, -1).sum(axis=1) for a in arrays))
