"""The field of a class map: its classes measured, before any unit or formula."""

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
from defectkeras.quantification.hidden_lines import join_behind_regions
from defectkeras.quantification.line_quantities import LineClass
from defectkeras.quantification.line_totals import measure_line_totals
from defectkeras.quantification.lines import measure_lines
from defectkeras.quantification.loops import measure_loops
from defectkeras.quantification.objects import label_objects, measure_objects
from defectkeras.quantification.region_class import RegionClass
from defectkeras.quantification.segments import measure_segments
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.quantification.skeletons import trace_lines
from defectkeras.quantification.splitting import split_objects


@dataclass(frozen=True, eq=False)
class Maps:
    """What is known of each pixel beside its class."""

    label_map: LabelMap | None
    image: Image | None
    probability_map: ProbabilityMap | None
    uncertainty: Image | None

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


@dataclass(frozen=True, eq=False)
class Lines:
    """A line class and its tables."""

    line_class: LineClass
    table: pd.DataFrame
    segments: pd.DataFrame
    traces: pd.DataFrame


class Field:
    """The class map with what all classes share."""

    def __init__(
        self,
        class_map: ClassMap,
        scheme: LabelScheme,
        calibration: Calibration,
        settings: QuantifySettings,
    ) -> None:
        self.class_map = class_map
        self.calibration = calibration
        self.settings = settings
        self.annotated: Mask = class_map != NOT_ANNOTATED
        self.field_px = int(np.count_nonzero(self.annotated))
        self.line_reference = self.annotated
        if settings.exclude_regions:
            for defect_class in scheme.defects:
                if defect_class.kind == "region":
                    seen = class_map != defect_class.index
                    self.line_reference = self.line_reference & seen

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
        if maps.label_map is None:
            labels = self._split(label_objects(mask), probability)
        else:
            labels = np.where(mask, maps.label_map, 0).astype(np.int32, copy=False)
        objects = measure_objects(
            labels,
            calibration=self.calibration,
            class_name=defect_class.name,
            field=self.annotated,
            image=maps.image,
            probability=probability,
            uncertainty=maps.uncertainty,
            background=self.class_map == 0,
        )
        if defect_class.name in self.settings.loop_classes:
            size_nm = self.calibration.pixel_size_nm
            for name, values in measure_loops(labels, pixel_size_nm=size_nm).items():
                objects[name] = values
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

    def measure_line(self, defect_class: DefectClass) -> Lines:
        """Give a line class and its tables."""
        mask = self.class_map == defect_class.index
        traced = trace_lines(mask)
        settings = self.settings
        table = measure_lines(
            mask, self.calibration, class_name=defect_class.name, traced=traced
        )
        segments, traces = measure_segments(
            traced,
            label_objects(mask),
            self.calibration,
            class_name=defect_class.name,
            weights=settings.length_weights,
        )
        line_class = LineClass(
            defect_class=defect_class,
            totals=measure_line_totals(
                mask,
                self.line_reference,
                weights=settings.length_weights,
                ends=settings.line_ends,
                intercept_spacing_px=settings.intercept_spacing_px,
                traced=traced,
            ),
            count=len(table),
            traces=traces,
            groups=join_behind_regions(
                segments,
                len(traces),
                self.annotated & ~self.line_reference,
                float(table["width_px"].mean()) if len(table) else 0.0,
            ),
            class_px=int(np.count_nonzero(mask)),
            field_px=self.field_px,
            reference_px=int(np.count_nonzero(self.line_reference)),
            calibration=self.calibration,
            settings=settings,
        )
        return Lines(line_class, table, segments, traces)
