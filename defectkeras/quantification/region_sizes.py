"""How large the objects of a region class are."""

import math

import numpy as np

from defectkeras.quantification.foil_cut import (
    moment_weights,
    single_size_diameter_nm,
)
from defectkeras.quantification.intervals import (
    Interval,
    ratio_interval,
    spread_interval,
)
from defectkeras.quantification.region_class import NO_OBJECT, RegionClass
from defectkeras.quantification.results import Quantity
from defectkeras.quantification.runs import Floats
from defectkeras.quantification.sizes import (
    DiameterMethod,
    fit_lognormal,
    mean_diameter,
)

_ONE_OBJECT = "a single object has no width of sizes"


def measure_sizes(region: RegionClass) -> list[Quantity]:
    """Give the mean sizes, in px and nm, and the log-normal fit.

    Only the size that is the diameter of the class, the equivalent diameter or
    for loops the largest Feret diameter, is put right for cut objects.

    Args:
        region: The class.

    Returns:
        The quantities; those that cannot be given have a reason.
    """
    return [
        *(
            _mean_size(region, column, unit)
            for unit in ("px", "nm")
            for column in ("equivalent_diameter", "max_feret")
        ),
        *_lognormal(region),
    ]


def _mean_size(region: RegionClass, column: str, unit: str) -> Quantity:
    """Give the mean of a size over the objects in the material."""
    thickness_nm = region.calibration.foil_thickness_nm if unit == "nm" else None
    is_corrected = column == region.size_column and thickness_nm is not None
    method = region.settings.diameter_method if is_corrected else "apparent"
    reason = _missing_sizes(region, unit)
    value: float | None = None
    interval: Interval | None = None
    if reason is None:
        used = region.weights > 0
        sizes = region.sizes(column, unit)[used]
        weights = region.weights[used]
        value = mean_diameter(
            sizes,
            method=method,
            foil_thickness_nm=thickness_nm,
            weights=weights,
            extent=region.extent,
        )
        interval = _mean_interval(region, sizes, weights, method)
    return region.quantity(
        f"mean_{column}_{unit}",
        unit,
        value,
        interval=interval,
        method=f"{region.settings.edge_rule}+{column}+{method}"
        f"+{_told(value, interval, 'student')}",
        reason=reason,
    )


def _told(value: float | None, interval: Interval | None, method: str) -> str:
    """Name the method of an interval, or say that a value has none."""
    return method if value is None or interval else "no_spread"


def _missing_sizes(region: RegionClass, unit: str) -> str | None:
    """Say why a size in "px" or "nm" cannot be given, or None."""
    reason = region.missing() if unit == "nm" else region.missing_objects()
    if reason is None and len(region.objects) == 0:
        reason = NO_OBJECT
    return reason


def _mean_interval(
    region: RegionClass, sizes: Floats, weights: Floats, method: DiameterMethod
) -> Interval | None:
    """Give the interval of a mean size; none for a single object or equal ones."""
    if method == "apparent":
        return ratio_interval(weights * sizes, weights)
    thickness_nm = region.calibration.require_foil_thickness_nm()
    if method == "cut_corrected":
        upper, lower = (
            weights * moment_weights(sizes, thickness_nm, power=k, extent=region.extent)
            for k in (1, 0)
        )
        return ratio_interval(upper, lower)
    apparent = ratio_interval(weights * sizes, weights)
    return apparent and Interval(
        single_size_diameter_nm(apparent.low, thickness_nm),
        single_size_diameter_nm(apparent.high, thickness_nm),
    )


def _lognormal(region: RegionClass) -> list[Quantity]:
    """Give median and sigma of the log-normal fit to the seen diameters."""
    unit = "px" if region.calibration.pixel_size_nm is None else "nm"
    reason = _missing_sizes(region, unit)
    median: float | None = None
    median_interval: Interval | None = None
    sigma: float | None = None
    sigma_interval: Interval | None = None
    if reason is None:
        used = region.weights > 0
        sizes, weights = region.diameters(unit)[used], region.weights[used]
        logs = np.log(sizes)
        fit = fit_lognormal(sizes, weights)
        median = fit.median
        ends = ratio_interval(weights * logs, weights, at_least=-math.inf)
        median_interval = ends and Interval(math.exp(ends.low), math.exp(ends.high))
        if len(sizes) > 1:
            sigma, sigma_interval = fit.sigma, spread_interval(logs, weights)
    method = f"{region.settings.edge_rule}+{region.size_column}+lognormal_mle"
    return [
        region.quantity(
            f"lognormal_median_{unit}",
            unit,
            median,
            interval=median_interval,
            method=f"{method}+{_told(median, median_interval, 'student')}",
            reason=reason,
        ),
        region.quantity(
            "lognormal_sigma",
            "1",
            sigma,
            interval=sigma_interval,
            method=f"{method}+{_told(sigma, sigma_interval, 'chi_square')}",
            reason=reason or (_ONE_OBJECT if sigma is None else None),
        ),
    ]
