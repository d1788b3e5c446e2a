"""How much of the foil the objects of a region class fill."""

import numpy as np

from defectkeras.quantification.foil_cut import moment_weights
from defectkeras.quantification.intervals import Interval, weighted_count_interval
from defectkeras.quantification.region_class import RegionClass
from defectkeras.quantification.results import Quantity
from defectkeras.quantification.swelling import (
    OBJECT_METHODS,
    swelling_percent,
    volume_contributions,
    volume_fraction_from_area,
)

_FULL = "the objects fill the foil or more: check thickness and pixel size"


def measure_volumes(region: RegionClass) -> list[Quantity]:
    """Give the volume fraction, and for voids the swelling.

    Args:
        region: The class; its objects are taken as spheres.

    Returns:
        The quantities; those that cannot be given have a reason. None for
        loops, which are flat.
    """
    if region.is_loop:
        return []
    method = region.settings.volume_method
    reason = None if method == "delesse" else region.missing(thickness=True)
    fraction: float | None = None
    interval: Interval | None = None
    if reason is None:
        fraction, interval = _volume_fraction(region)
        if not fraction < 1:
            fraction, interval, reason = None, None, _FULL
        elif interval:
            interval = Interval(interval.low, min(interval.high, 1.0))
    quantities = [
        region.quantity(
            "volume_fraction_percent",
            "%",
            None if fraction is None else 100 * fraction,
            interval=interval and Interval(100 * interval.low, 100 * interval.high),
            method=_method(region, fraction, interval),
            reason=reason,
        )
    ]
    if region.defect_class.name in region.settings.swelling_classes:
        ends = interval and _swelling_interval(interval)
        quantities.append(
            region.quantity(
                "swelling_percent",
                "%",
                None if fraction is None else swelling_percent(fraction),
                interval=ends,
                method=_method(region, fraction, ends),
                reason=reason,
            )
        )
    return quantities


def _method(region: RegionClass, value: float | None, interval: Interval | None) -> str:
    """Name the methods of a value; that of its interval where it has one."""
    method = region.settings.volume_method
    if method not in OBJECT_METHODS:
        return method
    told = "+garwood" if value is None or interval else ""
    return f"{region.settings.edge_rule}+equivalent_diameter+{method}{told}"


def _swelling_interval(fraction: Interval) -> Interval | None:
    """Give the swelling at both ends of a volume fraction; none without an end."""
    if fraction.high >= 1:
        return None
    return Interval(swelling_percent(fraction.low), swelling_percent(fraction.high))


def _volume_fraction(region: RegionClass) -> tuple[float, Interval | None]:
    """Give the volume fraction by the method of the settings."""
    method = region.settings.volume_method
    area_fraction = region.class_px / region.field_px
    area_interval = region.area_interval()
    if method == "delesse" or len(region.objects) == 0:
        return area_fraction, area_interval
    thickness_nm = region.calibration.require_foil_thickness_nm()
    diameters_nm, weights = region.diameters("nm"), region.weights
    if method == "projected_area":
        sauter_nm = _sauter_diameter_nm(region)
        ends = area_interval or Interval(area_fraction, area_fraction)
        low, value, high = (
            volume_fraction_from_area(min(a, 1.0), thickness_nm, sauter_nm)
            for a in (ends.low, area_fraction, ends.high)
        )
        return value, area_interval and Interval(low, high)
    parts = volume_contributions(
        diameters_nm, region.area_nm2, thickness_nm, method=method, weights=weights
    )
    return float(parts.sum()), weighted_count_interval(parts, 0.0)


def _sauter_diameter_nm(region: RegionClass) -> float:
    """Give E[D^3] / E[D^2] of the objects in the material."""
    thickness_nm = region.calibration.require_foil_thickness_nm()
    moments = [
        float(
            np.sum(
                region.weights
                * moment_weights(region.diameters("nm"), thickness_nm, power=k)
            )
        )
        for k in (2, 3)
    ]
    return moments[1] / moments[0]
