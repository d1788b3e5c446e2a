"""The field of a class map: its classes measured, before any unit or formula."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from defectkeras.core.arrays import (
    NOT_ANNOTATED,
    ClassMap,
    Image,
    LabelMap,
    Mask,
    ProbabilityMap,
)
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.appearance import sum_appearance
from defectkeras.quantification.hidden_lines import HiddenRows, join_behind_regions
from defectkeras.quantification.line_graph import link_lines
from defectkeras.quantification.line_quantities import LineClass, LineTables
from defectkeras.quantification.line_totals import measure_line_totals
from defectkeras.quantification.lines import measure_lines
from defectkeras.quantification.loops import measure_loops
from defectkeras.quantification.objects import describe_objects, label_objects
from defectkeras.quantification.region_class import RegionClass
from defectkeras.quantification.runs import Floats, Runs, find_runs
from defectkeras.quantification.segments import measure_segments
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.quantification.skeletons import TracedLines, trace_lines
from defectkeras.quantification.splitting import split_objects


@dataclass(frozen=True, eq=False)
class Maps:
    """What is known of each pixel beside its class."""

    label_map: LabelMap | None = None
    image: Image | None = None
    probability_map: ProbabilityMap | None = None
    uncertainty: Image | None = None

    def require_shape(self, shape: tuple[int, ...]) -> None:
        """Check all maps against the class map."""
        for part in fields(self):
            other = getattr(self, part.name)
            if other is not None and other.shape[:2] != shape:
                raise DefectKerasError(
                    f"The {part.name} must have the shape of the class map "
                    f"{shape}. Received: {other.shape}."
                )

    def probability(self, index: int) -> Image | None:
        """Give the probability (H, W) of one class."""
        return (
            None if self.probability_map is None else self.probability_map[..., index]
        )


@dataclass(frozen=True)
class Known:
    """What is known before a field is measured.

    Attributes:
        scheme: The classes.
        calibration: Pixel size and foil thickness.
        settings: The methods.

    Raises:
        DefectKerasError: When the settings name a class that is not there.
    """

    scheme: LabelScheme
    calibration: Calibration
    settings: QuantifySettings

    def __post_init__(self) -> None:
        """Check the settings against the classes."""
        self.settings.require_classes(self.scheme)

    def hides_lines(self, class_map: ClassMap) -> Mask:
        """Tell which pixels (H, W) of a class map hide the lines behind them."""
        hidden = np.zeros(class_map.shape, dtype=bool)
        if self.settings.exclude_regions:
            for defect_class in self.scheme.defects:
                if defect_class.kind == "region":
                    hidden |= class_map == defect_class.index
        return hidden


class Field:
    """The class map with what all classes share."""

    def __init__(self, class_map: ClassMap, known: Known) -> None:
        self.class_map = class_map
        self.calibration = known.calibration
        self.settings = known.settings
        self.annotated: Mask = class_map != NOT_ANNOTATED
        self.field_px = int(np.count_nonzero(self.annotated))
        self.line_reference = self.annotated & ~known.hides_lines(class_map)

    def measure_region(self, defect_class: DefectClass, maps: Maps) -> RegionClass:
        """Give a region class and its objects.

        Args:
            defect_class: The class.
            maps: What is known of each pixel.

        Raises:
            DefectKerasError: When objects must be split by a probability that is
                not there.
        """
        mask = self.class_map == defect_class.index
        probability = maps.probability(defect_class.index)
        labels = label_objects(mask, maps.label_map)
        if maps.label_map is None:
            labels = self._split(labels, probability)
        runs = find_runs(labels)
        sums = sum_appearance(
            labels,
            runs,
            image=maps.image,
            probability=probability,
            uncertainty=maps.uncertainty,
            background=self.class_map == 0,
        )
        objects = describe_region(
            runs,
            sums,
            defect_class,
            calibration=self.calibration,
            settings=self.settings,
            field=self.annotated,
        )
        return RegionClass(
            defect_class=defect_class,
            objects=objects,
            class_px=int(np.count_nonzero(mask)),
            field_px=self.field_px,
            calibration=self.calibration,
            settings=self.settings,
        )

    def _split(self, labels: LabelMap, probability: Image | None) -> LabelMap:
        """Split touching objects as the settings say."""
        method = self.settings.split
        if method == "probability" and probability is None:
            raise DefectKerasError(
                "To split objects by probability there must be a probability map, "
                "and there is none. Split them by distance."
            )
        if method == "none":
            return labels
        return split_objects(labels, method, probability=probability)

    def measure_line(self, defect_class: DefectClass) -> LineClass:
        """Give a line class and its tables."""
        mask = self.class_map == defect_class.index
        settings = self.settings
        traced = trace_lines(mask)
        tables = describe_lines(mask, traced, defect_class, self.calibration, settings)
        hidden = self.annotated & ~self.line_reference
        return LineClass(
            defect_class=defect_class,
            totals=measure_line_totals(
                mask,
                self.line_reference,
                weights=settings.length_weights,
                ends=settings.line_ends,
                intercept_spacing_px=settings.intercept_spacing_px,
                traced=traced,
            ),
            tables=tables,
            groups=join_behind_regions(
                tables.segments,
                len(tables.traces),
                [HiddenRows(hidden, 0, (0, len(hidden)))],
                tables.mean_width_px,
            ),
            class_px=int(np.count_nonzero(mask)),
            field_px=self.field_px,
            reference_px=int(np.count_nonzero(self.line_reference)),
            calibration=self.calibration,
            settings=settings,
        )


def describe_region(
    runs: Runs,
    sums: Mapping[str, Floats],
    defect_class: DefectClass,
    *,
    calibration: Calibration,
    settings: QuantifySettings,
    field: Mask,
) -> pd.DataFrame:
    """Give the table of the objects of a region class.

    Args:
        runs: Of N objects.
        sums: Of `sum_appearance`, for each run.
        defect_class: The class.
        calibration: With a pixel size, columns in nm are added.
        settings: Tell which classes are loops.
        field: (H, W) true where the micrograph is annotated.

    Returns:
        N rows.
    """
    objects = describe_objects(
        runs,
        sums,
        calibration=calibration,
        class_name=defect_class.name,
        field=field,
    )
    if defect_class.name in settings.loop_classes:
        size_nm = calibration.pixel_size_nm
        for name, values in measure_loops(runs, pixel_size_nm=size_nm).items():
            objects[name] = values
    return objects


def describe_lines(
    mask: Mask,
    traced: TracedLines,
    defect_class: DefectClass,
    calibration: Calibration,
    settings: QuantifySettings,
    *,
    origin: tuple[int, int] = (0, 0),
) -> LineTables:
    """Give the tables of the lines of a mask.

    Args:
        mask: (H, W) true on lines.
        traced: The traced mask.
        defect_class: The class.
        calibration: With a pixel size, columns in nm are added.
        settings: The weights of lengths.
        origin: Row and column of the micrograph where the mask begins.
    """
    graph = link_lines(traced)
    lines = measure_lines(
        mask,
        calibration,
        class_name=defect_class.name,
        traced=traced,
        graph=graph,
        origin=origin,
    )
    segments, traces = measure_segments(
        traced,
        label_objects(mask),
        calibration,
        class_name=defect_class.name,
        weights=settings.length_weights,
        graph=graph,
    )
    for side in ("start", "stop"):
        for axis, shift in zip(("row", "column"), origin, strict=True):
            segments[f"{side}_{axis}_px"] += shift
    return LineTables(lines, segments, traces)
