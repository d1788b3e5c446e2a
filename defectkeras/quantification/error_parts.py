"""The parts of an error bar: chance, thickness, pixel size, model.

Each part is a standard deviation in the unit of the value. Independent parts add
as squares, on each side of the interval that chance alone gives: those of thickness
and pixel size, which multiply a value, on the scale of its logarithm.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from defectkeras.core.calibration import Calibration
from defectkeras.quantification.results import Quantification, Quantity

Z95 = 1.959964
"""Half of a 95 % interval in standard deviations."""

PARTS_OF_A_WHOLE = ("area_fraction_percent", "volume_fraction_percent")
"""Quantities that are 100 % at most."""

Evaluate: TypeAlias = Callable[[Calibration], Sequence[Quantity]]


def add_calibration_parts(
    quantities: Sequence[Quantity], evaluate: Evaluate, calibration: Calibration
) -> list[Quantity]:
    """Widen intervals by what is not known of thickness and pixel size.

    The part of an input x with standard deviation s is half the difference of the
    values at x + s and x - s.

    Args:
        quantities: Of one micrograph, at its calibration.
        evaluate: Gives them at another calibration.
        calibration: With the standard deviations; without them nothing changes.

    Returns:
        The quantities in the same order, with `counting`, `thickness` and
        `pixel_size` among their parts.
    """
    widened = [_start_parts(quantity) for quantity in quantities]
    for part, name in (("thickness", "foil_thickness"), ("pixel_size", "pixel_size")):
        value = getattr(calibration, f"{name}_nm")
        sigma = getattr(calibration, f"{name}_sigma_nm")
        if value is None or not sigma:
            continue
        ends = [
            evaluate(
                dataclasses.replace(
                    calibration, **{f"{name}_nm": changed, f"{name}_sigma_nm": None}
                )
            )
            for changed in (max(value - sigma, value * 0.01), value + sigma)
        ]
        for i, (low, high) in enumerate(zip(*ends, strict=True)):
            if low.value is not None and high.value is not None:
                sigma_here = abs(high.value - low.value) / 2
                widened[i] = widen(widened[i], part, sigma_here, is_factor=True)
    return widened


def add_model_part(
    quantification: Quantification, others: Sequence[Quantification]
) -> Quantification:
    """Widen intervals by how much the class maps of several models differ.

    Args:
        quantification: Of the class map that counts, such as that of the mean
            probability.
        others: Of the class maps of the members of an ensemble, of the views of
            test-time augmentation or of passes with dropout; at least two, of
            the same field with the same settings.

    Returns:
        The quantification with `model`, the standard deviation over the others,
        among the parts of its quantities.

    Raises:
        ValueError: When there are fewer than two others.
    """
    if len(others) < 2:
        raise ValueError(f"`others` must be at least two. Received: {len(others)}.")
    widened = []
    for quantity in quantification.quantities:
        key = (quantity.class_name, quantity.name)
        values = [o.find(*key).value for o in others]
        known = [v for v in values if v is not None]
        if quantity.value is not None and len(known) >= 2:
            spread = float(np.std(known, ddof=1))
            widened.append(widen(_start_parts(quantity), "model", spread))
        else:
            widened.append(quantity)
    return dataclasses.replace(quantification, quantities=tuple(widened))


def widen(
    quantity: Quantity, part: str, sigma: float, *, is_factor: bool = False
) -> Quantity:
    """Add an independent part to the error bar of a quantity.

    Args:
        quantity: With or without an interval.
        part: Name of the part.
        sigma: Its standard deviation, in the unit of the value.
        is_factor: Whether it multiplies the value, as an error of the thickness does.
            Squares then add on the scale of the logarithm: the low end of an interval
            over a power of ten would else be much too low.

    Returns:
        The quantity with the wider interval, which does not go below 0 where it
        was above. Where there is none, since nothing is known of chance, there still
        is none, and the part alone is told.

    Example:
        >>> found = widen(Quantity("void", "count", 10.0, "1", 7.0, 14.0), "model", 2.0)
        >>> round(found.low, 2), round(found.high, 2), dict(found.parts)
        (5.06, 15.6, {'model': 2.0})
    """
    value = quantity.value
    if value is None or sigma == 0:
        return quantity
    parts = {**quantity.parts, part: sigma}
    low, high = quantity.low, quantity.high
    if low is None or high is None:
        return dataclasses.replace(quantity, parts=parts)
    if is_factor and 0 < low <= value <= high:
        relative = Z95 * sigma / value
        wide_low = value * math.exp(-math.hypot(math.log(value / low), relative))
        wide_high = value * math.exp(math.hypot(math.log(high / value), relative))
    else:
        wide_low = value - math.hypot(value - low, Z95 * sigma)
        wide_high = value + math.hypot(high - value, Z95 * sigma)
    return dataclasses.replace(
        quantity,
        low=max(wide_low, 0.0) if value >= 0 else wide_low,
        high=highest(quantity.name, wide_high),
        parts=parts,
    )


def highest(name: str, high: float) -> float:
    """Give the upper end of an interval, which for a part of a whole is 100 % at most.

    Example:
        >>> highest("area_fraction_percent", 1640.0), highest("count", 1640.0)
        (100.0, 1640.0)
    """
    return min(high, 100.0) if name in PARTS_OF_A_WHOLE else high


def _start_parts(quantity: Quantity) -> Quantity:
    """Name the interval that is there already the part of chance."""
    if quantity.parts or quantity.low is None or quantity.high is None:
        return quantity
    sigma = (quantity.high - quantity.low) / (2 * Z95)
    return dataclasses.replace(quantity, parts={"counting": sigma})
