"""One region class of a micrograph: what its quantities are made of."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass
from defectkeras.quantification.edges import edge_rule_weights
from defectkeras.quantification.foil_cut import LOOP_EXTENT, SPHERE_EXTENT
from defectkeras.quantification.intervals import Interval, weighted_count_interval
from defectkeras.quantification.results import Quantity
from defectkeras.quantification.runs import Floats
from defectkeras.quantification.settings import QuantifySettings

NO_PIXEL_SIZE = "no pixel size: give it with --pixel-size-nm"
NO_THICKNESS = "no foil thickness: give it with --foil-thickness-nm"
NO_OBJECT = "no object of this class"
ALL_CUT = (
    "every object touches the border: choose the edge rule 'all' (biased) or a "
    "larger field"
)
LEAST_OBJECTS = 2.0
"""Effective number of objects, below which they tell nothing of the area by chance."""


@dataclass(frozen=True, eq=False)
class RegionClass:
    """One region class of one micrograph, ready for its quantities.

    Attributes:
        defect_class: The class.
        objects: Its rows of the objects table.
        class_px: Pixels of the class.
        field_px: Annotated pixels.
        calibration: Pixel size and foil thickness.
        settings: The methods.
    """

    defect_class: DefectClass
    objects: pd.DataFrame
    class_px: int
    field_px: int
    calibration: Calibration
    settings: QuantifySettings

    @property
    def is_loop(self) -> bool:
        """Whether the objects are flat discs."""
        return self.defect_class.name in self.settings.loop_classes

    @property
    def extent(self) -> float:
        """Extent of an object along the beam over its diameter."""
        return LOOP_EXTENT if self.is_loop else SPHERE_EXTENT

    @property
    def size_column(self) -> str:
        """What counts as the diameter of an object."""
        return self.settings.size_of(self.defect_class.name)

    @property
    def weights(self) -> Floats:
        """(N,) how often each object counts, 0 when it is dropped."""
        return edge_rule_weights(self.objects, self.settings.edge_rule)

    @property
    def area_nm2(self) -> float:
        """Annotated area in nm^2."""
        return self.field_px * self.calibration.require_pixel_size_nm() ** 2

    def diameters(self, unit: str) -> Floats:
        """Give the (N,) diameters in "px" or "nm"."""
        return self.sizes(self.size_column, unit)

    def sizes(self, column: str, unit: str) -> Floats:
        """Give the (N,) sizes of a column, such as "max_feret", in "px" or "nm"."""
        sizes_px = self.objects[f"{column}_px"].to_numpy(dtype=np.float64)
        if unit == "px":
            return sizes_px
        return sizes_px * self.calibration.require_pixel_size_nm()

    def area_interval(self) -> Interval | None:
        """Give the interval of the area fraction, or None where it would say nothing.

        That is without objects, and where a single one holds most of the area, so
        that the effective count (sum a)^2 / sum a^2 is below `LEAST_OBJECTS`.
        """
        areas = self.objects["area_px"].to_numpy(dtype=np.float64)
        if len(areas) == 0 or areas.sum() ** 2 < LEAST_OBJECTS * (areas**2).sum():
            return None
        interval = weighted_count_interval(areas / self.field_px, 0.0)
        return Interval(interval.low, min(interval.high, 1.0))

    def missing(self, *, thickness: bool = False) -> str | None:
        """Say why a value in nm, or per volume, cannot be given, or None."""
        reason = None
        if self.calibration.pixel_size_nm is None:
            reason = NO_PIXEL_SIZE
        elif thickness and self.calibration.foil_thickness_nm is None:
            reason = NO_THICKNESS
        return reason or self.missing_objects()

    def missing_objects(self) -> str | None:
        """Say that the edge rule leaves no object, or None."""
        return ALL_CUT if len(self.objects) and not self.weights.any() else None

    def quantity(
        self,
        name: str,
        unit: str,
        value: float | None,
        *,
        interval: Interval | None = None,
        method: str = "",
        reason: str | None = None,
    ) -> Quantity:
        """Give a quantity of this class."""
        low, high = (interval.low, interval.high) if interval else (None, None)
        return Quantity(
            self.defect_class.name, name, value, unit, low, high, method, reason
        )
