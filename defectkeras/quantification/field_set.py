"""Several fields of one specimen: field statistics, and sizes pooled over them.

References:
    ASTM E562, Standard test method for determining volume fraction by systematic
    manual point count; ASTM E1245, Standard practice for determining the
    inclusion or second-phase constituent content of metals by automatic image
    analysis: mean over fields, standard deviation, 95 % interval by Student's t,
    and relative accuracy.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from defectkeras.quantification.error_parts import highest, widen
from defectkeras.quantification.intervals import (
    Interval,
    field_statistics,
    fields_needed,
)
from defectkeras.quantification.region_class import ALL_CUT, RegionClass
from defectkeras.quantification.results import Quantification, Quantity
from defectkeras.quantification.runs import Floats
from defectkeras.quantification.size_fits import SizeFit, fit_sizes

ACCURACY_PERCENT = 10.0
"""The relative accuracy that E562 aims at."""

MOST_UNLIKE = 2.0
"""Ratio of the areas of two fields from which on that is told."""

_CALIBRATION_PARTS = ("thickness", "pixel_size")
_SUMS = (
    "areal_density_per_px2",
    "areal_density_per_m2",
    "number_density_per_m3",
    "volume_fraction_percent",
    "swelling_percent",
)
"""Quantities to which each object off the border adds its part."""


def summarize_fields(
    quantifications: Sequence[Quantification],
    *,
    accuracy_percent: float = ACCURACY_PERCENT,
) -> pd.DataFrame:
    """Give the field statistics of each quantity over the fields of a set.

    Mean and interval are those of `mean_over_fields`.

    Args:
        quantifications: Of the fields of one specimen.
        accuracy_percent: The relative accuracy that is wanted.

    Returns:
        One row per class and quantity that two fields or more have: class_name,
        name, unit, fields, mean, standard_deviation, low, high, and the parts
        sigma_fields (of the mean), sigma_counting (that chance within the fields
        would give), sigma_calibration; relative_accuracy_percent and
        further_fields (for the accuracy that is wanted), both NaN where no field
        differs, which tells nothing of either.

    Raises:
        ValueError: When `accuracy_percent` is not above 0.
    """
    if not accuracy_percent > 0:
        raise ValueError(
            f"`accuracy_percent` must be above 0. Received: {accuracy_percent}."
        )
    rows = [
        _summarize(quantities, accuracy_percent)
        for quantities in quantities_of_fields(quantifications).values()
        if len(quantities) >= 2
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


_COLUMNS = [
    "class_name", "name", "unit", "fields", "mean", "standard_deviation", "low", "high",
    "sigma_fields", "sigma_counting", "sigma_calibration", "relative_accuracy_percent",
    "further_fields",
]  # fmt: skip


def notes_of_areas(quantifications: Sequence[Quantification]) -> tuple[str, ...]:
    """Say when fields are of unlike area, which the mean over them does not weigh.

    E562 takes fields of one size. The plain mean is right for others, too, and its
    interval holds as often, also where fields differ beyond chance; only wider than a
    ratio of sums is. The interval of that ratio holds less often where fields differ.

    Args:
        quantifications: Of the fields of one specimen.

    Returns:
        A sentence, where one has more than `MOST_UNLIKE` times the area of another.
    """
    in_nm = [q for q in quantifications if q.calibration.pixel_size_nm is not None]
    in_px = [q.shape for q in quantifications]
    sides = [q.calibration.field_of_view_nm(q.shape) for q in in_nm] or in_px
    areas = [height * width for height, width in sides]
    if not areas or max(areas) <= MOST_UNLIKE * min(areas):
        return ()
    return (
        f"One micrograph shows {max(areas) / min(areas):.1f} times the area of "
        "another, and each counts alike in the means over them: where defects are few, "
        "fields of one size give narrower intervals.",
    )


def quantities_of_fields(
    quantifications: Sequence[Quantification],
) -> dict[tuple[str, str], list[Quantity]]:
    """Give each quantity in the fields that tell it.

    A field in which every object touches the border tells no density by itself. But
    objects off the border are weighted for those at it, so without such a field the
    mean would be too high: its density counts as 0, as that of a field without any.

    Args:
        quantifications: Of the fields of one specimen.

    Returns:
        Class and name to the quantities with a value, where there is one; none in
        pixels where these are not of one size.
    """
    is_mixed = len({q.calibration.pixel_size_nm for q in quantifications}) > 1
    told: dict[tuple[str, str], list[Quantity]] = {}
    for quantification in quantifications:
        for quantity in quantification.quantities:
            if not (is_mixed and "px" in quantity.unit):
                key = (quantity.class_name, quantity.name)
                told.setdefault(key, []).append(quantity)
    return {
        key: [
            dataclasses.replace(q, value=q.value or 0.0, reason=None)
            for q in quantities
            if q.value is not None or _is_cut(q)
        ]
        for key, quantities in told.items()
        if any(q.value is not None for q in quantities)
    }


def _is_cut(quantity: Quantity) -> bool:
    """Say whether it would be a sum over objects, of which the border cuts all."""
    by_objects = "projected_area" not in quantity.method.split("+")
    return quantity.reason == ALL_CUT and quantity.name in _SUMS and by_objects


def mean_over_fields(quantities: Sequence[Quantity]) -> Quantity:
    """Give the mean of a quantity over the fields of a set, and its interval.

    The interval between fields (`field_statistics`) holds all that differs from field
    to field. Where no field differs, such as where there is nothing in any, it is that
    of chance within them. An error of thickness or pixel size that all fields share
    does not show in either, so the mean of these parts widens it.

    Args:
        quantities: The same of two fields or more, with values.

    Returns:
        The mean, with the parts fields (its standard error), counting (that chance
        within the fields would give) and calibration.
    """
    count = len(quantities)
    found = field_statistics(np.array([q.value for q in quantities], dtype=np.float64))
    interval: Interval | None = found.interval
    if found.standard_deviation == 0:
        interval = _within_fields(quantities, found.mean)
    calibration = float(
        np.mean([math.hypot(*_parts(q, *_CALIBRATION_PARTS)) for q in quantities])
    )
    mean = dataclasses.replace(
        quantities[0],
        value=found.mean,
        low=interval.low if interval else None,
        high=highest(quantities[0].name, interval.high) if interval else None,
        parts={
            "fields": found.standard_deviation / math.sqrt(count),
            "counting": math.hypot(*(_parts(q, "counting")[0] for q in quantities))
            / count,
        },
    )
    return widen(mean, "calibration", calibration, is_factor=True)


def _within_fields(quantities: Sequence[Quantity], mean: float) -> Interval | None:
    """Give the interval of chance within equal fields; None where one has none.

    Its ends come nearer to the mean by the square root of the number of fields on the
    scale of the square root, where what is there by chance varies alike whatever its
    mean. Fields with nothing, 0 to b, are 0 to b over their number; beside them, those
    in which every object is cut, which count as 0, have none of their own.
    """
    ends = [(q.low, q.high) for q in quantities if None not in (q.low, q.high)]
    if not ends or (mean > 0 and len(ends) < len(quantities)):
        return None
    root = math.sqrt(mean)
    roots = np.sqrt(np.array(ends, dtype=np.float64))
    nearer = (roots.mean(axis=0) - root) / math.sqrt(len(ends))
    low, high = (root + nearer) ** 2
    return Interval(float(low), float(high))


def _summarize(
    quantities: Sequence[Quantity], accuracy_percent: float
) -> dict[str, object]:
    """Give the row of one quantity."""
    count = len(quantities)
    found = field_statistics(np.array([q.value for q in quantities], dtype=np.float64))
    mean = mean_over_fields(quantities)
    accuracy = needed = math.nan
    if found.standard_deviation > 0:
        accuracy = found.relative_accuracy_percent
    if found.standard_deviation > 0 and found.mean > 0:
        needed = max(fields_needed(found, accuracy_percent) - count, 0)
    return {
        "class_name": mean.class_name,
        "name": mean.name,
        "unit": mean.unit,
        "fields": count,
        "mean": mean.value,
        "standard_deviation": found.standard_deviation,
        "low": mean.low,
        "high": mean.high,
        "sigma_fields": mean.parts["fields"],
        "sigma_counting": mean.parts["counting"],
        "sigma_calibration": mean.parts.get("calibration", 0.0),
        "relative_accuracy_percent": accuracy,
        "further_fields": needed,
    }


def _parts(quantity: Quantity, *names: str) -> list[float]:
    return [quantity.parts.get(name, 0.0) for name in names]


def fit_pooled_sizes(quantifications: Sequence[Quantification]) -> pd.DataFrame:
    """Fit distributions to the sizes of each region class, over all fields.

    Args:
        quantifications: Of the fields of one specimen; the sizes are in nm, of the
            fields whose pixel size is known, and in px when none is.

    Returns:
        One row per class and distribution, the better one by AIC first:
        class_name, unit, and the attributes of `SizeFit`.
    """
    in_nm = [q for q in quantifications if q.calibration.pixel_size_nm is not None]
    unit = "nm" if in_nm else "px"
    pooled: dict[str, list[Floats]] = {}
    for quantification in in_nm or quantifications:
        for defect_class in quantification.scheme.defects:
            name = defect_class.name
            table = quantification.objects
            rows = table[table["class_name"] == name] if len(table) else table
            if defect_class.kind != "region" or len(rows) == 0:
                continue
            settings = quantification.settings
            region = RegionClass(
                defect_class, rows, 0, 0, quantification.calibration, settings
            )
            sizes, smallest = region.diameters(unit), settings.smallest_diameter_px
            if in_nm:
                smallest *= quantification.calibration.require_pixel_size_nm()
            limits = np.full(len(sizes), smallest)
            pooled.setdefault(name, []).append(
                np.stack([sizes, region.weights, limits])
            )
    found = [
        {"class_name": name, "unit": unit, **vars(fit)}
        for name, parts in pooled.items()
        for fit in _fit(np.concatenate(parts, axis=1))
    ]
    return pd.DataFrame(found, columns=["class_name", "unit", *_FIT_COLUMNS])


_FIT_COLUMNS = list(SizeFit.__dataclass_fields__)


def _fit(pooled: Floats) -> tuple[SizeFit, ...]:
    """Fit sizes from the largest limit of all fields on."""
    sizes, weights, limits = pooled
    return fit_sizes(sizes, weights, smallest=float(limits.max()))
