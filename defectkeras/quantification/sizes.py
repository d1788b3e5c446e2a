"""Sizes: means, histograms and the log-normal fit."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from defectkeras.core.names import require_known
from defectkeras.quantification.foil_cut import (
    SPHERE_EXTENT,
    moment_weights,
    single_size_diameter_nm,
)
from defectkeras.quantification.runs import Floats

DiameterMethod = Literal["cut_corrected", "single_size", "apparent"]


@dataclass(frozen=True)
class LogNormal:
    """A log-normal distribution of diameters.

    Attributes:
        mu: Mean of ln d (d in the unit of the diameters).
        sigma: Standard deviation of ln d.
    """

    mu: float
    sigma: float

    @property
    def mean(self) -> float:
        """exp(mu + sigma^2 / 2)."""
        return math.exp(self.mu + self.sigma**2 / 2)

    @property
    def median(self) -> float:
        """exp(mu)."""
        return math.exp(self.mu)


def fit_lognormal(diameters: Floats, weights: Floats | None = None) -> LogNormal:
    """Fit a log-normal distribution by maximum likelihood.

    mu is the mean and sigma the population standard deviation of ln d. Small
    objects below the resolution are missing from the data, which makes sigma
    too small; cut objects make it too large.

    Args:
        diameters: (N,) above 0, N at least 1.
        weights: (N,) edge weights; by default 1 each.

    Returns:
        The distribution.

    Example:
        >>> fit = fit_lognormal(np.array([5.0, 7, 8, 10, 12, 15, 20]))
        >>> round(fit.mu, 6), round(fit.sigma, 6), round(fit.mean, 4)
        (2.303723, 0.436798, 11.0135)
    """
    logarithms = np.log(diameters)
    mu = float(np.average(logarithms, weights=weights))
    variance = float(np.average((logarithms - mu) ** 2, weights=weights))
    equal = variance <= 1e-18  # but for rounding
    return LogNormal(mu, 0.0 if equal else math.sqrt(variance))


def mean_diameter(
    diameters_nm: Floats,
    *,
    method: DiameterMethod = "cut_corrected",
    foil_thickness_nm: float | None = None,
    weights: Floats | None = None,
    extent: float = SPHERE_EXTENT,
) -> float:
    """Give the mean diameter of the objects in the material.

    - "apparent": the mean of the seen diameters; too small, for objects cut by
      the foil surfaces look smaller.
    - "single_size": the diameter of equal spheres that show this mean.
    - "cut_corrected": sum of u_1(d) / sum of u_0(d), right for any sizes.

    Args:
        diameters_nm: (N,) seen diameters, N at least 1.
        method: One of the three above.
        foil_thickness_nm: Needed by the last two.
        weights: (N,) edge weights; by default 1 each.
        extent: Extent along the beam over the diameter; 1 for spheres.

    Returns:
        Mean diameter in nm.

    Raises:
        ValueError: When the thickness is needed and missing.

    Example:
        >>> seen_nm = np.array([20.0, 20.0, 19.0, 12.0])
        >>> round(mean_diameter(seen_nm, foil_thickness_nm=100.0), 3)
        18.31
        >>> mean_diameter(seen_nm, method="apparent")
        17.75
    """
    require_known(method, get_args(DiameterMethod), what="diameter method")
    counts = np.ones(len(diameters_nm)) if weights is None else weights
    apparent_nm = float(counts @ diameters_nm / counts.sum())
    if method == "apparent":
        return apparent_nm
    if foil_thickness_nm is None:
        raise ValueError(f"`foil_thickness_nm` must be given for {method!r}.")
    if method == "single_size":
        return single_size_diameter_nm(apparent_nm, foil_thickness_nm)
    moments = [
        counts @ moment_weights(diameters_nm, foil_thickness_nm, power=k, extent=extent)
        for k in (0, 1)
    ]
    return float(moments[1] / moments[0])


def size_distribution(diameters: Floats, weights: Floats) -> pd.DataFrame:
    """Count objects in classes of diameter, as many as `count_classes` gives.

    Args:
        diameters: (N,) in nm or px.
        weights: (N,) edge weights; 0 leaves an object out.

    Returns:
        One row per class: low, high, count, weighted_count, probability_density
        (of the weighted counts, per unit of diameter).

    Example:
        >>> table = size_distribution(np.array([1.0, 2.0, 6.0]), np.ones(3))
        >>> table["low"].tolist(), table["count"].tolist()
        ([1.0, 2.0, 3.0, 4.0, 5.0], [1, 1, 0, 0, 1])
    """
    used = weights > 0
    sizes, counts = diameters[used], weights[used]
    names = ("low", "high", "count", "weighted_count", "probability_density")
    if len(sizes) == 0:
        return pd.DataFrame({name: np.zeros(0) for name in names})
    edges = size_edges(sizes, count_classes(sizes, span=float(np.ptp(sizes))))
    number, _ = np.histogram(sizes, edges)
    weighted, _ = np.histogram(sizes, edges, weights=counts)
    density = weighted / (weighted.sum() * np.diff(edges))
    columns = (edges[:-1], edges[1:], number, weighted, density)
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def size_edges(diameters: Floats, num_bins: int) -> Floats:
    """Give the edges of equal classes from the smallest to the largest diameter.

    Args:
        diameters: (N,) in nm or px.
        num_bins: Number of classes.

    Returns:
        (num_bins + 1,) edges; half a unit to each side of sizes that are all equal,
        but not below half of them, and from 0 to 1 without any.

    Example:
        >>> size_edges(np.array([4.0, 1.0, 2.0]), 2)
        array([1. , 2.5, 4. ])
    """
    if len(diameters) == 0:
        return np.linspace(0.0, 1.0, num_bins + 1)
    low, high = float(diameters.min()), float(diameters.max())
    if high - low <= 1e-9 * high:  # equal but for rounding, which no class can divide
        low, high = low - min(0.5, low / 2), high + 0.5
    return np.linspace(low, high, num_bins + 1)


def count_classes(values: Floats, *, span: float) -> int:
    """Give the number of classes of a histogram by Freedman and Diaconis, 5 to 60.

    Args:
        values: (N,) N at least 1.
        span: What the classes divide.

    Returns:
        span / (2 interquartile range / N^(1/3)), rounded up; 5 where values that
        are all equal have no such range.
    """
    quartiles = np.quantile(values, [0.25, 0.75])
    width = 2 * float(quartiles[1] - quartiles[0]) / len(values) ** (1 / 3)
    return int(np.clip(math.ceil(span / width), 5, 60)) if width > 0 else 5
