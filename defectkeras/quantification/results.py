"""What a quantification gives: quantities with units, intervals and reasons."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import LabelScheme
from defectkeras.quantification.settings import QuantifySettings


@dataclass(frozen=True)
class Quantity:
    """One number about one class of a micrograph.

    Attributes:
        class_name: The defect class.
        name: Such as "number_density_per_m3".
        value: The number, or None when it cannot be given.
        unit: Such as "m^-3"; "1" for a count.
        low: Lower end of the 95 % interval, or None.
        high: Upper end, or None.
        method: Names of the methods, machine-readable, joined by "+".
        reason: Why the value is None.
        parts: Standard deviations that make up the interval, in the unit of the
            value: "counting" (chance in this field), "thickness", "pixel_size",
            "model", see `error_parts`.
    """

    class_name: str
    name: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    method: str = ""
    reason: str | None = None
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def method_text(self) -> str:
        """The methods in words."""
        return " ".join(METHOD_TEXTS[m] for m in self.method.split("+") if m)

    def to_dict(self) -> dict[str, Any]:
        """Give all that is known, ready for JSON."""
        return {
            "class_name": self.class_name,
            "name": self.name,
            "value": _finite(self.value),
            "unit": self.unit,
            "low": _finite(self.low),
            "high": _finite(self.high),
            "method": self.method,
            "method_text": self.method_text,
            "reason": self.reason,
            "parts": {name: _finite(sigma) for name, sigma in self.parts.items()},
        }


@dataclass(frozen=True, eq=False)
class Quantification:
    """All that was measured in one micrograph.

    Attributes:
        objects: One row per object of the region classes.
        lines: One row per connected line of the line classes.
        segments: One row per segment of line between ends and junctions.
        traces: One row per line, continued straight through crossings.
        quantities: The numbers of the micrograph.
        distributions: Histograms of diameters: class_name, quantity, low,
            high, count, weighted_count, probability_density, and the number per
            volume unfolded from cut objects, NaN without a thickness.
        calibration: Pixel size and foil thickness.
        scheme: The classes.
        shape: (H, W) in pixels.
        settings: The methods that were chosen.
        warnings: What a reader of the numbers should know.
    """

    objects: pd.DataFrame
    lines: pd.DataFrame
    quantities: tuple[Quantity, ...]
    distributions: pd.DataFrame
    calibration: Calibration
    scheme: LabelScheme
    shape: tuple[int, int]
    settings: QuantifySettings
    warnings: tuple[str, ...] = ()
    segments: pd.DataFrame = field(default_factory=pd.DataFrame)
    traces: pd.DataFrame = field(default_factory=pd.DataFrame)

    def find(self, class_name: str, name: str) -> Quantity:
        """Give one quantity.

        Args:
            class_name: The defect class.
            name: The name of the quantity.

        Raises:
            DefectKerasError: When there is none of this name.
        """
        for quantity in self.quantities:
            if (quantity.class_name, quantity.name) == (class_name, name):
                return quantity
        known = ", ".join(f"{q.class_name}.{q.name}" for q in self.quantities)
        raise DefectKerasError(
            f"There is no quantity {class_name}.{name}. Known: {known}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Give quantities, calibration, settings and warnings, ready for JSON."""
        return {
            "shape": list(self.shape),
            "calibration": asdict(self.calibration),
            "settings": self.settings.to_dict(),
            "quantities": [q.to_dict() for q in self.quantities],
            "warnings": list(self.warnings),
        }


def _finite(value: float | None) -> float | None:
    """Give a number that JSON can hold."""
    return value if value is not None and math.isfinite(value) else None


METHOD_TEXTS = {
    "connected": "Connected pixels are one line; lines that cross are one.",
    "split_distance": "Touching objects are split at necks of their outline.",
    "split_probability": "Touching objects are split at necks of probability.",
    "counted": "Every object that shows in the field is counted.",
    "pixel_area": "Pixels of the class over annotated pixels.",
    "miles_lantuejoul": (
        "Objects that touch the border are dropped and the others weighted by "
        "field area over the area in which their bounding box would lie whole "
        "(Miles-Lantuejoul, ISO 13322-1)."
    ),
    "forbidden_lines": (
        "Objects that touch the upper or left border are dropped, all others count."
    ),
    "drop": "Objects that touch the border are dropped (biased low).",
    "all": "All objects count, also those that touch the border (biased high).",
    "cut_corrected": (
        "Objects cut by the foil surfaces are put right by the weights of the "
        "Abel equation for spheres (for loops: randomly inclined discs), for any "
        "spread of sizes."
    ),
    "thickness_plus_diameter": (
        "The depth is the foil thickness plus the mean extent along the beam."
    ),
    "naive": "Objects cut by the foil surfaces count as whole (biased high).",
    "single_size": (
        "The mean seen diameter is turned into that of equal spheres cut by the "
        "foil surfaces."
    ),
    "apparent": "Diameters as seen, also of objects cut by the foil surfaces.",
    "all_visible": ("Every seen sphere counts with its whole volume (biased high)."),
    "projected_area": (
        "From the projected area fraction with random overlap, "
        "2 D / (2 D + 3 t) (-ln(1 - A_A)), D the Sauter diameter."
    ),
    "delesse": "The volume fraction is the area fraction (a section, no foil).",
    "max_feret": "Sizes are largest Feret diameters.",
    "equivalent_diameter": "Sizes are diameters of discs of equal area.",
    "lognormal_mle": "Log-normal fit by maximum likelihood to seen diameters.",
    "unbiased": "Skeleton length with weights 0.948 and 1.341 per step.",
    "steps": "Skeleton length with weights 1 and sqrt 2 per step (biased high).",
    "pixels": "Skeleton length as a number of steps (biased low).",
    "crossings": "Length hidden at crossings is added.",
    "square_ends": "Length between skeleton ends and mask ends is added.",
    "without_regions": "The area hidden by regions is left out.",
    "whole_field": "The area hidden by regions is not left out.",
    "projected_length": "4/pi times projected length over area and thickness.",
    "intercepts": "Twice the intercepts over test line length and thickness, "
    "four directions.",
    "visible_fraction": "Divided by the fraction of line length in contrast.",
    "garwood": "Interval: exact Poisson (Garwood, weighted after Fay and Feuer).",
    "chi_square": "Interval: chi-square over objects, of fewer where tails are long.",
    "student": "Interval: Student's t over objects.",
    "no_spread": "No interval: a single object, or several of one size, tell nothing "
    "of how sizes spread; more fields do.",
    "traces": "Interval: Poisson number of lines (Jeffreys) with gamma distributed "
    "lengths (F ratio).",
    "traced": "Lines are continued straight through crossings.",
    "objects": "Interval: objects are there by chance, each adds its area (Fay-Feuer).",
    "one_object": "No interval: a single object holds most of the area, which tells "
    "nothing of chance; more fields do.",
}
"""What each machine-readable method means, in one sentence."""
