"""How far two size distributions are apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import wasserstein_distance

from defectkeras.quantification.edges import edge_rule_weights
from defectkeras.quantification.results import Quantification
from defectkeras.quantification.runs import Floats


@dataclass(frozen=True, eq=False)
class Sizes:
    """The diameters of the objects of one class.

    Attributes:
        unit: "nm", or "px" where the pixel size is not known.
        diameters: (N,) largest Feret diameters of loops, else equivalent ones.
        weights: (N,) how often each counts under the edge rule, above 0.
    """

    unit: str
    diameters: Floats
    weights: Floats


@dataclass(frozen=True)
class SizeDistance:
    """Distances of two size distributions.

    Attributes:
        unit: Of the Wasserstein distance.
        true_count: Number of true objects that count.
        predicted_count: Number of predicted ones.
        kolmogorov_smirnov: Largest difference of the two cumulative
            distributions, 0 to 1; None when a side has no object.
        wasserstein: Area between them, in the unit; None likewise.
        reason: Why there is none.
    """

    unit: str
    true_count: int
    predicted_count: int
    kolmogorov_smirnov: float | None = None
    wasserstein: float | None = None
    reason: str = ""


def find_sizes(quantification: Quantification) -> dict[str, Sizes]:
    """Give the sizes of each region class, as its mean size has them.

    Args:
        quantification: Of one micrograph.

    Returns:
        Class name to sizes; objects that the edge rule drops are left out.
    """
    settings = quantification.settings
    unit = "px" if quantification.calibration.pixel_size_nm is None else "nm"
    found = {}
    for defect_class in quantification.scheme.defects:
        if defect_class.kind != "region":
            continue
        table = quantification.objects
        table = table[table["class_name"] == defect_class.name]
        column = f"{settings.size_of(defect_class.name)}_{unit}"
        weights = edge_rule_weights(table, settings.edge_rule)
        diameters = table[column].to_numpy(dtype=np.float64)
        counts = weights > 0
        found[defect_class.name] = Sizes(unit, diameters[counts], weights[counts])
    return found


def pool_sizes(parts: Sequence[Sizes]) -> Sizes:
    """Put the sizes of several micrographs together.

    Raises:
        ValueError: When their units differ or there are none.
    """
    units = {part.unit for part in parts}
    if len(units) != 1:
        raise ValueError(f"`parts` must share one unit. Received: {sorted(units)}.")
    return Sizes(
        units.pop(),
        np.concatenate([part.diameters for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def compare_sizes(true: Sizes, predicted: Sizes) -> SizeDistance:
    """Give the distances of two size distributions.

    With F the cumulative distribution, weighted by the edge weights,
    `KS = max |F - G|` and `W = integral of |F - G|`, in the unit of the sizes: by
    how much an object's size is off when each is moved to where it should be.
    There is no p-value, since both samples are of the same field.

    Args:
        true: What is taken as right.
        predicted: What is compared with it.

    Raises:
        ValueError: When the units differ.

    Example:
        >>> four, three = np.array([4.0, 6, 8, 10]), np.array([6.0, 8, 10])
        >>> distance = compare_sizes(
        ...     Sizes("nm", four, np.ones(4)), Sizes("nm", three, np.ones(3)))
        >>> distance.kolmogorov_smirnov, round(distance.wasserstein, 6)
        (0.25, 1.0)

    References:
        L. N. Vaserstein, Problems of Information Transmission 5 (1969) 47;
        N. V. Smirnov, https://doi.org/10.1214/aoms/1177730256
    """
    if true.unit != predicted.unit:
        raise ValueError(
            "Both sizes must have the same unit. Received: "
            f"{true.unit} and {predicted.unit}."
        )
    counts = len(true.diameters), len(predicted.diameters)
    if 0 in counts:
        sides = [s for s, n in zip(("true", "predicted"), counts, strict=True) if not n]
        reason = f"no {' and no '.join(sides)} object that counts"
        return SizeDistance(true.unit, *counts, reason=reason)
    samples = (true.diameters, predicted.diameters, true.weights, predicted.weights)
    places = np.union1d(true.diameters, predicted.diameters)
    gaps = _cumulative(true, places) - _cumulative(predicted, places)
    return SizeDistance(
        true.unit,
        *counts,
        kolmogorov_smirnov=float(np.abs(gaps).max()),
        wasserstein=float(wasserstein_distance(*samples)),
    )


def _cumulative(sizes: Sizes, places: Floats) -> Floats:
    """Give the weighted part of the sizes up to each place."""
    order = np.argsort(sizes.diameters)
    totals = np.concatenate([[0.0], np.cumsum(sizes.weights[order])])
    below = np.searchsorted(sizes.diameters[order], places, side="right")
    return np.asarray(totals[below] / totals[-1])
