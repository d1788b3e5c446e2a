"""Quantify: a class map and a calibration to tables and quantities."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from defectkeras.core.arrays import (
    NOT_ANNOTATED,
    ClassMap,
    Image,
    LabelMap,
    ProbabilityMap,
    require_class_map,
)
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.quantification.edges import MAX_EDGE_WEIGHT
from defectkeras.quantification.error_parts import add_calibration_parts
from defectkeras.quantification.field import Field, Known, Maps
from defectkeras.quantification.line_quantities import (
    LineClass,
    LineTables,
    measure_line_class,
)
from defectkeras.quantification.region_class import RegionClass
from defectkeras.quantification.region_counts import measure_counts
from defectkeras.quantification.region_sizes import measure_sizes
from defectkeras.quantification.region_volumes import measure_volumes
from defectkeras.quantification.results import Quantification, Quantity
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.quantification.size_classes import classify_sizes

__all__ = ["Quantification", "QuantifySettings", "Quantity", "quantify"]

_BLANK = np.zeros((1, 1), dtype=np.int32)
_MANY_AT_BORDER = 0.3


def quantify(
    class_map: ClassMap,
    scheme: LabelScheme,
    calibration: Calibration,
    *,
    label_map: LabelMap | None = None,
    image: Image | None = None,
    probability_map: ProbabilityMap | None = None,
    uncertainty: Image | None = None,
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
            by default connected pixels of a class are one object, or what
            `settings.split` makes of them.
        image: (H, W) grey levels, for grey level and contrast of each object.
        probability_map: (H, W, K), for the confidence of each object.
        uncertainty: (H, W) of the probabilities, for that of each object.
        settings: The methods; by default the least biased ones.

    Returns:
        Tables, quantities and distributions.

    Raises:
        DefectKerasError: When shapes differ, no pixel is annotated, or the settings
            name a class that is not there.

    Example:
        >>> import numpy as np
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
    maps = Maps(label_map, image, probability_map, uncertainty)
    maps.require_shape(checked.shape)
    if not (checked != NOT_ANNOTATED).any():
        raise DefectKerasError("At least one pixel of the class map must be annotated.")
    known = Known(scheme, calibration, chosen)
    field = Field(checked, known)
    regions = [
        field.measure_region(c, maps) for c in scheme.defects if c.kind == "region"
    ]
    lines = [field.measure_line(c) for c in scheme.defects if c.kind == "line"]
    return conclude(regions, lines, known, (checked.shape[0], checked.shape[1]))


def conclude(
    regions: Sequence[RegionClass],
    lines: Sequence[LineClass],
    known: Known,
    shape: tuple[int, int],
) -> Quantification:
    """Give what follows from the objects and lines of a field.

    Args:
        regions: The region classes.
        lines: The line classes.
        known: Classes, calibration and methods.
        shape: (H, W) of the field.
    """
    measured: list[RegionClass | LineClass] = [*regions, *lines]
    measured.sort(key=lambda one: one.defect_class.index)
    tables = [line.tables for line in lines] or [_no_lines(known)]
    region_tables = list(regions) or [_no_region(known)]
    calibration = known.calibration

    def evaluate(changed: Calibration) -> list[Quantity]:
        return [q for one in measured for q in _quantities(one, changed)]

    return Quantification(
        objects=_stack([region.objects for region in region_tables]),
        lines=_stack([table.lines for table in tables]),
        quantities=tuple(
            add_calibration_parts(evaluate(calibration), evaluate, calibration)
        ),
        distributions=_stack([classify_sizes(region) for region in region_tables]),
        calibration=calibration,
        scheme=known.scheme,
        shape=shape,
        settings=known.settings,
        warnings=(
            *_find_unseen(measured, shape),
            *_find_warnings(regions),
        ),
        segments=_stack([table.segments for table in tables]),
        traces=_stack([table.traces for table in tables]),
    )


def _quantities(
    measured: RegionClass | LineClass, calibration: Calibration
) -> list[Quantity]:
    """Give the quantities of a class at a calibration."""
    if isinstance(measured, LineClass):
        return measure_line_class(
            dataclasses.replace(measured, calibration=calibration)
        )
    region = dataclasses.replace(measured, calibration=calibration)
    return [*measure_counts(region), *measure_sizes(region), *measure_volumes(region)]


def _no_region(known: Known) -> RegionClass:
    """Give a region class without objects: the tables' heads, where there is none."""
    settings = dataclasses.replace(known.settings, split="none")
    blank = Field(_BLANK, dataclasses.replace(known, settings=settings))
    return blank.measure_region(DefectClass(1, "", "region"), Maps())


def _no_lines(known: Known) -> LineTables:
    """Give the tables of no lines: their heads, where there is no line class."""
    return Field(_BLANK, known).measure_line(DefectClass(1, "", "line")).tables


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put tables below each other."""
    return pd.concat(tables, ignore_index=True)


def _find_unseen(
    measured: Sequence[RegionClass | LineClass], shape: tuple[int, int]
) -> list[str]:
    """Say how much of the field is no area."""
    percent = 100 * (1 - measured[0].field_px / math.prod(shape))
    if percent == 0:
        return []
    return [
        f"{percent:.3g} % of the pixels are not annotated (255 in a class map) and "
        "count as no area."
    ]


def _find_warnings(regions: Sequence[RegionClass]) -> list[str]:
    """Give what a reader of the numbers should know."""
    warnings = []
    for region in regions:
        if len(region.objects) == 0:
            continue
        name, weights = region.defect_class.name, region.weights
        share = float((weights == 0).mean())
        if share > _MANY_AT_BORDER:
            warnings.append(
                f"{name}: {share:.0%} of the objects touch the border; sizes and "
                "densities rest on the others."
            )
        if (weights >= MAX_EDGE_WEIGHT).any():
            warnings.append(
                f"{name}: an object is nearly as large as the field; its edge "
                f"weight is cut at {MAX_EDGE_WEIGHT:.0f}."
            )
    return warnings
