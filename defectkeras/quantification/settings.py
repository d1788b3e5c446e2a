"""The choices of a quantification; each default is the least biased method."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

from defectkeras.core.errors import DefectKerasError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.names import require_known
from defectkeras.quantification.densities import NumberDensityMethod
from defectkeras.quantification.edges import EdgeRule
from defectkeras.quantification.line_sums import LineEnds
from defectkeras.quantification.lines import LengthWeights
from defectkeras.quantification.sizes import DiameterMethod
from defectkeras.quantification.splitting import SplitMethod
from defectkeras.quantification.swelling import VolumeMethod

Size: TypeAlias = Literal["equivalent_diameter", "max_feret"]


@dataclass(frozen=True)
class QuantifySettings:
    """The methods of a quantification.

    Attributes:
        split: How touching objects of a region class are told apart, see
            `split_objects`.
        edge_rule: What becomes of objects that touch the border.
        number_density_method: How objects cut by the foil surfaces count.
        diameter_method: How the mean diameter treats them.
        volume_method: How the volume fraction treats them.
        swelling_classes: Names of the region classes that are voids; the default
            need not be there.
        loop_classes: Names of the region classes that are flat discs, likewise; their
            size is the largest Feret diameter and they have no volume.
        length_weights: Weights of the skeleton's steps.
        line_ends: How masks end where lines do; "round" for brushes.
        exclude_regions: Whether the area that regions hide is left out of the
            reference area of lines.
        visible_fraction: Part of the line length that is in contrast (not
            g.b = 0), above 0 to 1; 1 means that all lines are visible.
        intercept_spacing_px: Distance of the test lines.
        smallest_diameter_px: Size from which on objects are surely seen; fits of
            size distributions are truncated there.
        seed: Of random placing.

    Raises:
        DefectKerasError: When a choice is not known or out of range.
    """

    split: SplitMethod = "none"
    edge_rule: EdgeRule = "miles_lantuejoul"
    number_density_method: NumberDensityMethod = "cut_corrected"
    diameter_method: DiameterMethod = "cut_corrected"
    volume_method: VolumeMethod = "cut_corrected"
    swelling_classes: tuple[str, ...] = ("void",)
    loop_classes: tuple[str, ...] = ("loop",)
    length_weights: LengthWeights = "unbiased"
    line_ends: LineEnds = "round"
    exclude_regions: bool = True
    visible_fraction: float = 1.0
    intercept_spacing_px: int = 16
    smallest_diameter_px: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the choices."""
        for name, choices in (
            ("split", SplitMethod),
            ("edge_rule", EdgeRule),
            ("number_density_method", NumberDensityMethod),
            ("diameter_method", DiameterMethod),
            ("volume_method", VolumeMethod),
            ("length_weights", LengthWeights),
            ("line_ends", LineEnds),
        ):
            require_known(getattr(self, name), get_args(choices), what=f"`{name}`")
        if not (
            math.isfinite(self.visible_fraction) and 0 < self.visible_fraction <= 1
        ):
            raise DefectKerasError(
                "`visible_fraction` must be above 0 and at most 1. "
                f"Received: {self.visible_fraction}."
            )
        if not (
            math.isfinite(self.smallest_diameter_px) and self.smallest_diameter_px >= 0
        ):
            raise DefectKerasError(
                "`smallest_diameter_px` must be 0 or more. "
                f"Received: {self.smallest_diameter_px}."
            )
        if self.intercept_spacing_px < 1:
            raise DefectKerasError(
                "`intercept_spacing_px` must be 1 or more. "
                f"Received: {self.intercept_spacing_px}."
            )

    def require_classes(self, scheme: LabelScheme) -> None:
        """Check that the classes that someone named are there.

        Args:
            scheme: The classes of what is measured.

        Raises:
            DefectKerasError: When one is not; the nearest name is told.
        """
        regions = [c.name for c in scheme.defects if c.kind == "region"]
        for names, default in (
            (self.swelling_classes, QuantifySettings.swelling_classes),
            (self.loop_classes, QuantifySettings.loop_classes),
        ):
            for name in names if names != default else ():
                require_known(name, regions, what="region class")

    def size_of(self, class_name: str) -> Size:
        """Say what counts as the diameter of the objects of a region class.

        Example:
            >>> settings = QuantifySettings()
            >>> settings.size_of("void"), settings.size_of("loop")
            ('equivalent_diameter', 'max_feret')
        """
        is_loop = class_name in self.loop_classes
        return "max_feret" if is_loop else "equivalent_diameter"

    def to_dict(self) -> dict[str, Any]:
        """Give the settings, ready for JSON."""
        return asdict(self)
