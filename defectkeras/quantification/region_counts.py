"""How many objects a region class has, per area and per volume."""

from defectkeras.quantification.densities import (
    PER_NM2_IN_PER_M2,
    PER_NM3_IN_PER_M3,
    number_weights,
)
from defectkeras.quantification.intervals import (
    Interval,
    garwood_interval,
    weighted_count_interval,
)
from defectkeras.quantification.region_class import RegionClass
from defectkeras.quantification.results import Quantity


def measure_counts(region: RegionClass) -> list[Quantity]:
    """Give count, areal density, area fraction and number density.

    Args:
        region: The class.

    Returns:
        The quantities; those that cannot be given have a reason.
    """
    count = len(region.objects)
    chosen = region.settings.split
    split = "" if chosen == "none" else f"split_{chosen}+"
    return [
        region.quantity(
            "count",
            "1",
            float(count),
            interval=garwood_interval(count),
            method=f"{split}counted+garwood",
        ),
        _areal_density(region, "px"),
        _areal_density(region, "m"),
        _area_fraction(region),
        _number_density(region),
    ]


def _areal_density(region: RegionClass, unit: str) -> Quantity:
    """Give the number per area, in px^-2 or m^-2."""
    reason = region.missing() if unit == "m" else region.missing_objects()
    value: float | None = None
    interval: Interval | None = None
    if reason is None:
        one = 1 / region.field_px
        if unit == "m":
            one = PER_NM2_IN_PER_M2 / region.area_nm2
        value = float(region.weights.sum()) * one
        interval = weighted_count_interval(region.weights * one, one)
    return region.quantity(
        f"areal_density_per_{unit}2",
        f"{unit}^-2",
        value,
        interval=interval,
        method=f"{region.settings.edge_rule}+garwood",
        reason=reason,
    )


def _area_fraction(region: RegionClass) -> Quantity:
    """Give the part of the annotated pixels that the class covers."""
    interval = region.area_interval()
    told = ["objects" if interval else "one_object"] if len(region.objects) else []
    return region.quantity(
        "area_fraction_percent",
        "%",
        100 * region.class_px / region.field_px,
        interval=interval and Interval(100 * interval.low, 100 * interval.high),
        method="+".join(["pixel_area", *told]),
    )


def _number_density(region: RegionClass) -> Quantity:
    """Give the number per volume."""
    settings = region.settings
    reason = region.missing(thickness=True)
    value: float | None = None
    interval: Interval | None = None
    if reason is None:
        thickness_nm = region.calibration.require_foil_thickness_nm()
        scale = PER_NM3_IN_PER_M3 / region.area_nm2
        depths = number_weights(
            region.diameters("nm"),
            thickness_nm,
            method=settings.number_density_method,
            weights=region.weights,
            extent=region.extent,
        )
        parts = scale * region.weights * depths
        value = float(parts.sum())
        interval = weighted_count_interval(parts, scale / thickness_nm)
    return region.quantity(
        "number_density_per_m3",
        "m^-3",
        value,
        interval=interval,
        method=f"{settings.edge_rule}+{settings.number_density_method}+garwood",
        reason=reason,
    )
