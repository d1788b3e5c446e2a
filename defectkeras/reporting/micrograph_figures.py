"""The figures of one micrograph, for the page and as files for a paper."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, Locator, MaxNLocator

from defectkeras.core.labels import DefectClass
from defectkeras.core.palette import class_colors, hex_color
from defectkeras.quantification.places import Places
from defectkeras.quantification.region_class import RegionClass
from defectkeras.quantification.results import Quantification
from defectkeras.quantification.size_fits import SizeFit, fit_sizes
from defectkeras.reporting.figures import size_histogram
from defectkeras.reporting.numbers import split_unit
from defectkeras.reporting.place_figures import draw_neighbors, draw_ripley, draw_rose
from defectkeras.reporting.vector import vector_style

MOST_VECTORS = 5000
"""More objects are a picture within a vector figure, which else grows too large."""

MAP_WIDTH_IN = 3.6
MOST_HEIGHT_IN = 5.4
ROOM_OF_TICK_IN = 0.5


@dataclass(frozen=True, eq=False)
class NamedFigure:
    """A figure with what it is called.

    Attributes:
        name: Of its files: letters, digits and underscores.
        label: What it shows, in words.
        figure: Drawn within `vector_style`.
    """

    name: str
    label: str
    figure: Figure


def micrograph_figures(
    quantification: Quantification, places: Places | None = None
) -> Iterator[NamedFigure]:
    """Draw sizes, class by class, the positions of all objects, and how they lie.

    Args:
        quantification: Of a micrograph.
        places: How its defects lie, or None.

    Yields:
        The sizes of each class of regions with two objects or more that lie whole
        in the field, one map of all objects; and of the classes in `places`
        distances to the nearest neighbor, Ripley's L, and the rose of the lines.
    """
    colors = class_colors(quantification.scheme)
    unit = "px" if quantification.calibration.pixel_size_nm is None else "nm"
    for defect_class in quantification.scheme.defects:
        distribution = _distribution(quantification, defect_class)
        count = int(distribution["count"].sum())
        if count >= 2:
            quantity = str(distribution["quantity"].iloc[0])
            mean = quantification.find(defect_class.name, f"mean_{quantity}")
            figure = size_histogram(
                distribution,
                class_name=defect_class.name,
                unit=unit,
                color=colors[defect_class.index],
                size=split_unit(quantity)[0],
                mean=mean,
                fits=_fits(quantification, defect_class, unit),
            )
            label = f"Histogram of the sizes of {count} objects"
            yield NamedFigure(f"sizes_{defect_class.index}", label, figure)
    if len(quantification.objects) >= 2:
        label = f"Positions of {len(quantification.objects)} objects"
        yield NamedFigure("positions", label, _draw_positions(quantification, unit))
    if places is not None:
        yield from _place_figures(quantification, places, unit)


def _place_figures(
    quantification: Quantification, places: Places, unit: str
) -> Iterator[NamedFigure]:
    """Draw how the objects and lines of each class lie."""
    size = quantification.calibration.pixel_size_nm or 1.0
    colors = class_colors(quantification.scheme)
    for defect_class in quantification.scheme.defects:
        name, number = defect_class.name, defect_class.index
        color = colors[number]
        statistics, curves, rose = (
            table[table["class_name"] == name]
            for table in (places.statistics, places.curves, places.orientations)
        )
        if "mean_neighbor_distance_px" in set(statistics["statistic"]):
            own = quantification.objects
            own = own[own["class_name"] == name]
            centers = size * own[["centroid_row_px", "centroid_column_px"]].to_numpy()
            figure = draw_neighbors(
                centers, statistics, class_name=name, unit=unit, color=color
            )
            label = f"Distances of {len(own)} objects to their nearest neighbors"
            yield NamedFigure(f"neighbors_{number}", label, figure)
        if len(curves):
            figure = draw_ripley(
                curves, statistics, size, class_name=name, unit=unit, color=color
            )
            yield NamedFigure(f"ripley_{number}", "Ripley's L less r", figure)
        if len(rose):
            figure = draw_rose(rose, statistics, class_name=name, color=color)
            yield NamedFigure(f"rose_{number}", "Rose of the orientations", figure)


def _draw_positions(quantification: Quantification, unit: str) -> Figure:
    """Draw each object as a disc of its area at its place; rows grow downwards."""
    size = quantification.calibration.pixel_size_nm or 1.0
    height, width = (size * n for n in quantification.shape)
    colors = class_colors(quantification.scheme)
    with vector_style():
        map_width_in, map_height_in = _map_size_in(height / width)
        figure = Figure(figsize=(4.6, 1.0 + map_height_in))
        axes = figure.add_subplot()
        for defect_class in quantification.scheme.defects:
            own = quantification.objects
            own = own[own["class_name"] == defect_class.name]
            if own.empty:
                continue
            centers = own[["centroid_column_px", "centroid_row_px"]].to_numpy(float)
            diameters = size * own["equivalent_diameter_px"].to_numpy(float)
            discs = EllipseCollection(
                diameters,
                diameters,
                np.zeros(len(own)),
                units="xy",
                offsets=size * (centers + 0.5),
                offset_transform=axes.transData,
                facecolors=hex_color(colors[defect_class.index]),
                edgecolors="none",
                label=f"{defect_class.name}, {len(own)}",
            )
            discs.set_rasterized(len(own) > MOST_VECTORS)
            axes.add_collection(discs)
        axes.spines[:].set_visible(True)  # the frame of the micrograph
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_aspect("equal")
        axes.xaxis.set_major_locator(_ticks(width, map_width_in))
        axes.yaxis.set_major_locator(_ticks(height, map_height_in))
        axes.set_xlabel(f"x ({unit})")
        axes.set_ylabel(f"y ({unit})")
        title = ", ".join(str(c.get_label()) for c in axes.collections)
        axes.set_title(title)
    return figure


def _map_size_in(rows_to_columns: float) -> tuple[float, float]:
    """Give width and height of a map that fits into the figure, in inches."""
    width_in = min(MAP_WIDTH_IN, MOST_HEIGHT_IN / rows_to_columns)
    return width_in, width_in * rows_to_columns


def _ticks(end: float, size_in: float) -> Locator:
    """Give the ticks for which a side of a map has room; its end alone, if any."""
    room = int(size_in / ROOM_OF_TICK_IN)
    return MaxNLocator(nbins=min(room, 5)) if room > 1 else FixedLocator([end])


def _fits(
    quantification: Quantification, defect_class: DefectClass, unit: str
) -> tuple[SizeFit, ...]:
    """Fit the sizes of one class; the figure has no room for p-values."""
    own = quantification.objects
    own = own[own["class_name"] == defect_class.name]
    calibration, settings = quantification.calibration, quantification.settings
    region = RegionClass(defect_class, own, 0, 0, calibration, settings)
    scale = (calibration.pixel_size_nm or 1.0) if unit == "nm" else 1.0
    return fit_sizes(
        region.diameters(unit),
        region.weights,
        smallest=settings.smallest_diameter_px * scale,
        resamples=0,
    )


def _distribution(
    quantification: Quantification, defect_class: DefectClass
) -> pd.DataFrame:
    """Give the rows of one class; none for a line."""
    table = quantification.distributions
    if table.empty:
        return pd.DataFrame({"count": []})
    return table[table["class_name"] == defect_class.name]
