"""The quantities of one line class."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass
from defectkeras.quantification.densities import (
    dislocation_density_intercepts_per_m2,
    dislocation_density_per_m2,
)
from defectkeras.quantification.intervals import (
    Interval,
    garwood_interval,
    random_lengths_interval,
    weighted_count_interval,
)
from defectkeras.quantification.line_totals import LineTotals
from defectkeras.quantification.region_class import NO_PIXEL_SIZE, NO_THICKNESS
from defectkeras.quantification.results import Quantity
from defectkeras.quantification.runs import Integers
from defectkeras.quantification.settings import QuantifySettings

NO_FREE_FIELD = "no part of the field is far enough from its border and regions"
IN_REGIONS = (
    "nearly all of its length runs in or along regions, which are taken to hide lines; "
    "include the regions where lines run in them"
)
LEAST_USED_SHARE = 0.1
"""Of the length of the lines, below which regions hold the lines, not hide them."""


@dataclass(frozen=True, eq=False)
class LineTables:
    """The tables of a line class: connected lines, segments, and lines continued."""

    lines: pd.DataFrame
    segments: pd.DataFrame
    traces: pd.DataFrame

    @property
    def mean_width_px(self) -> float:
        """Mean width of the connected lines, 0 without any."""
        return float(self.lines["width_px"].mean()) if len(self.lines) else 0.0


@dataclass(frozen=True, eq=False)
class LineClass:
    """One line class of one micrograph, ready for its quantities.

    Attributes:
        defect_class: The class.
        totals: Its length in the used part of the field, or None.
        tables: Its lines, connected and continued, and their segments.
        groups: (L,) the same number for lines that go on behind a region.
        class_px: Pixels of the class.
        field_px: Annotated pixels.
        reference_px: Pixels in which a line would be seen.
        calibration: Pixel size and foil thickness.
        settings: The methods.
    """

    defect_class: DefectClass
    totals: LineTotals | None
    tables: LineTables
    groups: Integers
    class_px: int
    field_px: int
    reference_px: int
    calibration: Calibration
    settings: QuantifySettings

    def missing(self, *, size: bool = True, thickness: bool = False) -> str | None:
        """Say why a value cannot be given, or None.

        Args:
            size: Whether it needs the pixel size.
            thickness: Whether it needs the foil thickness.
        """
        reason = NO_FREE_FIELD if self.totals is None else None
        if self.totals is not None and self.reference_px < self.field_px:
            length_px = float(self.tables.traces["length_px"].sum())
            if self.totals.skeleton_px < LEAST_USED_SHARE * length_px:
                reason = IN_REGIONS
        if size and self.calibration.pixel_size_nm is None:
            reason = NO_PIXEL_SIZE
        elif thickness and self.calibration.foil_thickness_nm is None:
            reason = NO_THICKNESS
        return reason

    def method(self, *names: str) -> str:
        """Give the machine-readable method of a value."""
        settings = self.settings
        parts = [settings.length_weights, "crossings"]
        if settings.line_ends == "square":
            parts.append("square_ends")
        parts.append("without_regions" if settings.exclude_regions else "whole_field")
        if settings.visible_fraction < 1 and names:
            parts.append("visible_fraction")
        return "+".join([*names, *parts, "traces"])

    def interval(self, value: float) -> Interval | None:
        """Give the interval of a sum over lines that are there by chance.

        Each line adds its length, so few long lines are less sure than many short
        ones. With none, one would add the mean chord of the field, pi A / P. None where
        a skeleton is all junctions, as of a grid of single pixels, and so no line.

        Args:
            value: The sum, such as a length per area.
        """
        in_regions = self.missing(size=False) == IN_REGIONS  # hidden behind none
        groups = np.arange(len(self.groups)) if in_regions else self.groups
        lengths_px = np.bincount(
            groups, self.tables.traces["length_px"].to_numpy(dtype=np.float64)
        ).astype(np.float64)
        total_px = float(lengths_px.sum())
        if total_px == 0 and value > 0:
            return None
        if value == 0:
            side_px = math.sqrt(self.field_px)
            chord_px = math.pi / 4 * side_px
            return weighted_count_interval(np.zeros(0), chord_px / self.field_px)
        parts = lengths_px[lengths_px > 0] * (value / total_px)
        return random_lengths_interval(parts)


def measure_line_class(line: LineClass) -> list[Quantity]:
    """Give all quantities of a line class.

    Args:
        line: The class, its totals and the calibration.

    Returns:
        The quantities; those that cannot be given have a reason.
    """
    return [
        _count(line, "count", len(line.tables.lines), "connected"),
        _count(line, "line_count", len(line.tables.traces), "traced"),
        _area_fraction(line),
        _length(line, "px"),
        _length(line, "nm"),
        _length_per_area(line),
        _density(line),
        _density_intercepts(line),
    ]


def _count(line: LineClass, name: str, count: int, method: str) -> Quantity:
    """Give a number of lines."""
    interval = garwood_interval(count)
    return Quantity(
        line.defect_class.name,
        name,
        float(count),
        "1",
        interval.low,
        interval.high,
        f"{method}+garwood",
    )


def _area_fraction(line: LineClass) -> Quantity:
    """Give the part of the annotated pixels that lines cover."""
    percent = 100 * line.class_px / line.field_px
    has_length = bool((line.tables.traces["length_px"] > 0).any())
    interval = line.interval(percent) if has_length else None
    return Quantity(
        line.defect_class.name,
        "area_fraction_percent",
        percent,
        "%",
        interval.low if interval else None,
        min(interval.high, 100.0) if interval else None,
        "pixel_area+traces" if interval else "pixel_area",
    )


def _length(line: LineClass, unit: str) -> Quantity:
    """Give the length of line in the reference area, in px or nm."""
    per_px, interval = _length_per_px(line)
    scale = float(line.reference_px)
    if unit == "nm":
        scale *= line.calibration.pixel_size_nm or 0.0
    reason = line.missing(size=unit == "nm")
    return _quantity(
        line, f"line_length_{unit}", unit, (per_px, interval, scale), reason
    )


def _length_per_area(line: LineClass) -> Quantity:
    """Give the length of line per area of the micrograph, in m^-1."""
    per_px, interval = _length_per_px(line)
    scale = 1e9 / (line.calibration.pixel_size_nm or 1.0)
    return _quantity(
        line,
        "line_length_per_area_per_m",
        "m^-1",
        (per_px, interval, scale),
        line.missing(),
    )


def _density(line: LineClass) -> Quantity:
    """Give the length per volume from the projected length."""
    reason = line.missing(thickness=True)
    per_px, interval = _length_per_px(line)
    scale = 0.0
    if reason is None:
        scale = dislocation_density_per_m2(
            1.0,  # per nm of line in 1 px / nm of area
            line.calibration.require_pixel_size_nm(),
            line.calibration.require_foil_thickness_nm(),
            visible_fraction=line.settings.visible_fraction,
        )
    return _quantity(
        line,
        "dislocation_density_per_m2",
        "m^-2",
        (per_px, interval, scale),
        reason,
        "projected_length",
    )


def _density_intercepts(line: LineClass) -> Quantity:
    """Give the length per volume from intercepts with test lines."""
    reason = line.missing(thickness=True)
    per_px, interval, scale = 0.0, None, 0.0
    if reason is None and line.totals is not None:
        totals = line.totals
        scale = totals.correction * dislocation_density_intercepts_per_m2(
            2 / math.pi,  # intercepts per px of isotropic lines of 1 px / px^2
            line.calibration.require_pixel_size_nm(),
            line.calibration.require_foil_thickness_nm(),
            visible_fraction=line.settings.visible_fraction,
        )
        per_px = math.pi / 2 * totals.intercepts / max(totals.test_px, 1.0)
        interval = line.interval(per_px)
    return _quantity(
        line,
        "dislocation_density_intercepts_per_m2",
        "m^-2",
        (per_px, interval, scale),
        reason,
        "intercepts",
    )


def _length_per_px(line: LineClass) -> tuple[float, Interval | None]:
    """Give length per area in px / px^2, and its interval."""
    totals = line.totals
    if totals is None:
        return 0.0, None
    return totals.length_per_px, line.interval(totals.length_per_px)


def _quantity(
    line: LineClass,
    name: str,
    unit: str,
    found: tuple[float, Interval | None, float],
    reason: str | None,
    *methods: str,
) -> Quantity:
    """Give a quantity from a value, its interval and their common scale."""
    value, interval, scale = found
    if reason is not None:
        interval = None
    return Quantity(
        line.defect_class.name,
        name,
        None if reason else value * scale,
        unit,
        interval.low * scale if interval else None,
        interval.high * scale if interval else None,
        line.method(*methods),
        reason,
    )
