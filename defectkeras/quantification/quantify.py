"""Quantify: a class map and a calibration to tables and quantities."""

import numpy as np
import pandas as pd

from defectkeras.core.arrays import (
    NOT_ANNOTATED,
    ClassMap,
    Image,
    LabelMap,
    Mask,
    require_class_map,
)
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.edges import MAX_EDGE_WEIGHT
from defectkeras.quantification.line_quantities import LineClass, measure_line_class
from defectkeras.quantification.line_totals import measure_line_totals
from defectkeras.quantification.lines import measure_lines
from defectkeras.quantification.objects import label_objects, measure_objects
from defectkeras.quantification.region_class import RegionClass
from defectkeras.quantification.region_counts import measure_counts
from defectkeras.quantification.region_sizes import measure_sizes
from defectkeras.quantification.region_volumes import measure_volumes
from defectkeras.quantification.results import Quantification, Quantity
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.quantification.sizes import size_distribution
from defectkeras.quantification.skeletons import trace_lines

__all__ = ["Quantification", "QuantifySettings", "Quantity", "quantify"]

_MANY_AT_BORDER = 0.3


def quantify(
    class_map: ClassMap,
    scheme: LabelScheme,
    calibration: Calibration,
    *,
    label_map: LabelMap | None = None,
    image: Image | None = None,
    settings: QuantifySettings | None = None,
) -> Quantification:
    """Measure the objects and lines of a class map, and what follows from them.

    Without a pixel size there are values in pixels only, without a foil
    thickness areal values only; the others are None and say why.

    Args:
        class_map: (H, W) class indices; `NOT_ANNOTATED` pixels count as no area.
        scheme: The classes.
        calibration: Pixel size and foil thickness, as far as known.
        label_map: (H, W) object numbers, where touching objects are told apart;
            by default connected pixels of a class are one object.
        image: (H, W) grey levels, for the mean grey level of each object.
        settings: The methods; by default the least biased ones.

    Returns:
        Tables, quantities and distributions.

    Raises:
        DefectKerasError: When shapes differ or no pixel is annotated.

    Example:
        >>> from defectkeras.core.labels import DefectClass
        >>> scheme = LabelScheme((DefectClass(0, "matrix", "matrix"),
        ...                       DefectClass(1, "void", "region")))
        >>> class_map = np.zeros((80, 100), np.int32)
        >>> class_map[30:40, 50:60] = 1
        >>> result = quantify(class_map, scheme, Calibration(2.0))
        >>> result.find("void", "mean_equivalent_diameter_nm").value.__round__(3)
        22.568
        >>> result.find("void", "swelling_percent").reason
        'no foil thickness: give it with --foil-thickness-nm'
    """
    chosen = settings or QuantifySettings()
    checked = require_class_map(
        class_map, num_classes=scheme.num_classes, name="class_map"
    )
    for name, other in (("label_map", label_map), ("image", image)):
        if other is not None and other.shape != checked.shape:
            raise DefectKerasError(
                f"The {name} must have the shape of the class map "
                f"{checked.shape}. Received: {other.shape}."
            )
    if not (checked != NOT_ANNOTATED).any():
        raise DefectKerasError("At least one pixel of the class map must be annotated.")
    field = _Field(checked, scheme, calibration, chosen)
    objects, lines, quantities = [], [], []
    for defect_class in scheme.defects:
        if defect_class.kind == "region":
            table = field.measure_region(defect_class, label_map, image)
            objects.append(table)
            quantities += field.quantify_region(defect_class, table)
        else:
            table, found = field.measure_line(defect_class)
            lines.append(table)
            quantities += found
    all_objects = _stack(objects)
    return Quantification(
        objects=all_objects,
        lines=_stack(lines),
        quantities=tuple(quantities),
        distributions=_stack([_distribution(t, field) for t in objects]),
        calibration=calibration,
        scheme=scheme,
        shape=(checked.shape[0], checked.shape[1]),
        settings=chosen,
        warnings=tuple(_find_warnings(objects, calibration)),
    )


class _Field:
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

    def measure_region(
        self, defect_class: DefectClass, label_map: LabelMap | None, image: Image | None
    ) -> pd.DataFrame:
        """Give the objects of a region class.

        Args:
            defect_class: The class.
            label_map: (H, W) object numbers, or None for connected pixels.
            image: (H, W) grey levels, or None.
        """
        mask = self.class_map == defect_class.index
        labels = (
            label_objects(mask) if label_map is None else np.where(mask, label_map, 0)
        )
        return measure_objects(
            labels.astype(np.int32, copy=False),
            calibration=self.calibration,
            class_name=defect_class.name,
            image=image,
            field=self.annotated,
        )

    def quantify_region(
        self, defect_class: DefectClass, objects: pd.DataFrame
    ) -> list[Quantity]:
        """Give the quantities of a region class."""
        region = RegionClass(
            defect_class=defect_class,
            objects=objects,
            class_px=int(np.count_nonzero(self.class_map == defect_class.index)),
            field_px=self.field_px,
            calibration=self.calibration,
            settings=self.settings,
        )
        return [
            *measure_counts(region),
            *measure_sizes(region),
            *measure_volumes(region),
        ]

    def measure_line(
        self, defect_class: DefectClass
    ) -> tuple[pd.DataFrame, list[Quantity]]:
        """Give the lines and the quantities of a line class."""
        mask = self.class_map == defect_class.index
        traced = trace_lines(mask)
        table = measure_lines(
            mask, self.calibration, class_name=defect_class.name, traced=traced
        )
        line = LineClass(
            defect_class=defect_class,
            totals=measure_line_totals(
                mask,
                self.line_reference,
                weights=self.settings.length_weights,
                ends=self.settings.line_ends,
                intercept_spacing_px=self.settings.intercept_spacing_px,
                traced=traced,
            ),
            count=len(table),
            class_px=int(np.count_nonzero(mask)),
            field_px=self.field_px,
            reference_px=int(np.count_nonzero(self.line_reference)),
            calibration=self.calibration,
            settings=self.settings,
        )
        return table, measure_line_class(line)


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables below each other."""
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _distribution(objects: pd.DataFrame, field: _Field) -> pd.DataFrame:
    """Give the histogram of the diameters of one class."""
    unit = "px" if field.calibration.pixel_size_nm is None else "nm"
    name = f"equivalent_diameter_{unit}"
    table = size_distribution(
        objects[name].to_numpy(dtype=np.float64),
        objects["edge_weight"].to_numpy(dtype=np.float64),
    )
    class_name = objects["class_name"].iloc[0] if len(objects) else ""
    table.insert(0, "class_name", class_name)
    table.insert(1, "quantity", name)
    return table


def _find_warnings(tables: list[pd.DataFrame], calibration: Calibration) -> list[str]:
    """Give what a reader of the numbers should know."""
    warnings = []
    for table in tables:
        if len(table) == 0:
            continue
        name = table["class_name"].iloc[0]
        share = float(table["touches_border"].mean())
        if share > _MANY_AT_BORDER:
            warnings.append(
                f"{name}: {share:.0%} of the objects touch the border; sizes and "
                "densities rest on the others."
            )
        if (table["edge_weight"] >= MAX_EDGE_WEIGHT).any():
            warnings.append(
                f"{name}: an object is nearly as large as the field; its edge "
                f"weight is cut at {MAX_EDGE_WEIGHT:.0f}."
            )
    return warnings
