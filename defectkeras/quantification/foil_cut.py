"""Objects cut by the foil surfaces, put right without assuming a size spread.

A sphere is seen when any part of it lies in the foil, and one whose center lies
outside shows a disc that is too small. The density of seen diameters d is

    n_A(d) = t n_V(d) + s d * integral over D > d of n_V(D) / sqrt(D^2 - d^2) dD

with the thickness t and the extent along the beam s D (s = 1 for spheres). Sums
of u_k(d) over the seen objects give N_V E[D^k] for any n_V when

    t u_k(D) + s * integral from 0 to D of u_k(x) x / sqrt(D^2 - x^2) dx = D^k,

an Abel equation. With x = s d / t its solution is u_k = t^(k-1) s^(-k) f_k(x),

    f_0 = exp(pi x^2 / 4) erfc(sqrt(pi) x / 2),
    f_(k+1) = (x^k - f_k) / c_k,   c_0, c_1, c_2 = 1, pi/4, 2/3.

So each object counts with its own weight, all methods below share one formula,
and the sums stay unbiased for any mixture of sizes.

References:
    The equation: P. L. Goldsmith, Br. J. Appl. Phys. 18 (1967) 813; J. Ohser,
    K. Sandau, Considerations about the estimation of the size distribution in
    Wicksell's corpuscle problem, Lecture Notes in Physics 554 (2000). The
    weights are derived in docs/quantification.md.
"""

import math

import numpy as np
from scipy.special import erfcx

from defectkeras.quantification.runs import Floats

SPHERE_EXTENT = 1.0
"""Extent along the beam over the diameter: spheres."""

LOOP_EXTENT = math.pi / 4
"""Flat discs of random orientation: the mean of |sin| of their inclination."""

_MAX_POWER = 3
_SERIES_BELOW = 0.05
_SERIES_TERMS = 8


def moment_weights(
    diameters_nm: Floats,
    foil_thickness_nm: float,
    *,
    power: int,
    extent: float = SPHERE_EXTENT,
) -> Floats:
    """Give u_k(d): the weights whose sum over the objects is A N_V E[D^k].

    Args:
        diameters_nm: (N,) seen diameters in nm.
        foil_thickness_nm: Foil thickness t in nm.
        power: k, from 0 to 3.
        extent: Extent along the beam over the diameter, s, 0 or more.

    Returns:
        (N,) weights in nm^(k - 1).

    Raises:
        ValueError: When `power` is not 0, 1, 2 or 3.

    Example:
        >>> moment_weights(np.array([0.0, 10.0]), 100.0, power=0).round(6)
        array([0.01    , 0.009074])
    """
    if power not in range(_MAX_POWER + 1):
        raise ValueError(f"`power` must be 0 to {_MAX_POWER}. Received: {power}.")
    if extent == 0:
        return np.asarray(diameters_nm**power / foil_thickness_nm)
    x = np.asarray(diameters_nm, dtype=np.float64) * extent / foil_thickness_nm
    weights = erfcx(math.sqrt(math.pi) / 2 * x)
    for k in range(power):
        weights = (x**k - weights) / _kernel_moment(k)
    # For small x the differences above lose their digits; the series does not.
    weights = np.where(x < _SERIES_BELOW, _series(x, power), weights)
    scale = foil_thickness_nm ** (power - 1) * extent**-power
    return np.asarray(weights * scale, dtype=np.float64)


def _kernel_moment(k: int) -> float:
    """Give c_k, the integral over 0 to 1 of y^(k + 1) / sqrt(1 - y^2)."""
    return math.sqrt(math.pi) / 2 * math.gamma(k / 2 + 1) / math.gamma(k / 2 + 1.5)


def _series(x: Floats, power: int) -> Floats:
    """Give f_k(x) = x^k (1 - c_k x + c_k c_(k+1) x^2 - ...) for small x."""
    small = np.minimum(x, _SERIES_BELOW)
    term = small**power
    total = term.copy()
    for k in range(power, power + _SERIES_TERMS):
        term = term * -_kernel_moment(k) * small
        total += term
    return np.asarray(total)


def mean_seen_diameter_nm(diameter_nm: float, foil_thickness_nm: float) -> float:
    """Give the mean seen diameter of spheres of one size in a foil.

    d = D (t + pi/4 D) / (t + D), in nm.

    Args:
        diameter_nm: True diameter D.
        foil_thickness_nm: Foil thickness t.

    Example:
        >>> round(mean_seen_diameter_nm(20.0, 50.0) / 20.0, 4)
        0.9387
    """
    t = foil_thickness_nm
    return diameter_nm * (t + math.pi / 4 * diameter_nm) / (t + diameter_nm)


def single_size_diameter_nm(mean_seen_nm: float, foil_thickness_nm: float) -> float:
    """Give the true diameter of spheres of one size from the mean seen one.

    The inverse of `mean_seen_diameter_nm`, the positive root of
    pi/4 D^2 + (t - d) D - d t = 0. With a spread of sizes it is biased; then
    `moment_weights` is right.

    Args:
        mean_seen_nm: Mean seen diameter d.
        foil_thickness_nm: Foil thickness t.

    Example:
        >>> round(single_size_diameter_nm(mean_seen_diameter_nm(20.0, 50.0), 50.0), 6)
        20.0
    """
    b = foil_thickness_nm - mean_seen_nm
    root = math.sqrt(b**2 + math.pi * mean_seen_nm * foil_thickness_nm)
    return (root - b) / (math.pi / 2)
