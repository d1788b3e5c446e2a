"""Densities: how many objects and how much line per area and per volume.

Units: diameters, lengths and thicknesses in nm, areas in nm^2, results in SI;
1 nm^-2 = 1e18 m^-2, 1 nm^-3 = 1e27 m^-3.
"""

import math
from typing import Literal, get_args

import numpy as np

from defectkeras.core.names import require_known
from defectkeras.quantification.foil_cut import SPHERE_EXTENT, moment_weights
from defectkeras.quantification.runs import Floats

NumberDensityMethod = Literal["cut_corrected", "thickness_plus_diameter", "naive"]

PER_NM2_IN_PER_M2 = 1e18
PER_NM3_IN_PER_M3 = 1e27


def number_density_per_m3(
    diameters_nm: Floats,
    area_nm2: float,
    foil_thickness_nm: float,
    *,
    method: NumberDensityMethod = "cut_corrected",
    weights: Floats | None = None,
    extent: float = SPHERE_EXTENT,
) -> float:
    """Give the number of objects per volume of foil, in m^-3.

    - "naive": N / (A t); too high, for an object is seen when any part of it is
      in the foil (2.0 times for D = t).
    - "thickness_plus_diameter": N / (A (t + s d)) with the mean seen diameter d
      (Hilliard 1962); right for objects of one size when d is the true one.
    - "cut_corrected": sum of exp(x^2) erfc(x) / (A t), x = sqrt(pi) s d_i/(2 t);
      unbiased for spheres of any sizes, see `foil_cut`.

    Args:
        diameters_nm: (N,) seen diameters.
        area_nm2: Area of the field.
        foil_thickness_nm: Foil thickness t.
        method: One of the three above.
        weights: (N,) edge weights; by default 1 each.
        extent: Extent along the beam over the diameter, s; 1 for spheres.

    Returns:
        Number per m^3.

    Example:
        >>> ten_nm = np.full(50, 10.0)
        >>> for method in ("naive", "thickness_plus_diameter", "cut_corrected"):
        ...     value = number_density_per_m3(ten_nm, 640.0**2, 100.0, method=method)
        ...     print(f"{value:.4e}")
        1.2207e+21
        1.1097e+21
        1.1076e+21
    """
    counts = np.ones(len(diameters_nm)) if weights is None else weights
    parts = counts * number_weights(
        diameters_nm, foil_thickness_nm, method=method, extent=extent, weights=counts
    )
    return float(parts.sum()) / area_nm2 * PER_NM3_IN_PER_M3


def number_weights(
    diameters_nm: Floats,
    foil_thickness_nm: float,
    *,
    method: NumberDensityMethod,
    weights: Floats,
    extent: float = SPHERE_EXTENT,
) -> Floats:
    """Give the reciprocal depth that each object stands for.

    Args:
        diameters_nm: (N,) seen diameters.
        foil_thickness_nm: Foil thickness t.
        method: As in `number_density_per_m3`.
        weights: (N,) edge weights, for the mean diameter.
        extent: Extent along the beam over the diameter.

    Returns:
        (N,) in nm^-1; their weighted sum over A is the number density.
    """
    require_known(method, get_args(NumberDensityMethod), what="density method")
    if method == "cut_corrected":
        return moment_weights(diameters_nm, foil_thickness_nm, power=0, extent=extent)
    depth_nm = foil_thickness_nm
    total = float(weights.sum())
    if method == "thickness_plus_diameter" and total > 0:
        depth_nm += extent * float(weights @ diameters_nm) / total
    return np.full(len(diameters_nm), 1 / depth_nm)


def dislocation_density_per_m2(
    projected_length_nm: float,
    area_nm2: float,
    foil_thickness_nm: float,
    *,
    visible_fraction: float = 1.0,
) -> float:
    """Give the length of line per volume from the projected length, in m^-2.

    rho = (4/pi) l / (A t f): a segment of random direction in space projects to
    pi/4 of its length. For lines known to lie in the foil plane multiply by
    pi/4.

    Args:
        projected_length_nm: Projected length l.
        area_nm2: Area A it was found in.
        foil_thickness_nm: Foil thickness t.
        visible_fraction: Part f of the line length that is in contrast (not
            g.b = 0). 1 means that all lines are visible.

    Example:
        >>> f"{dislocation_density_per_m2(10000.0, 640.0**2, 100.0):.4e}"
        '3.1085e+14'
    """
    per_nm2 = 4 / math.pi * projected_length_nm / (area_nm2 * foil_thickness_nm)
    return per_nm2 / visible_fraction * PER_NM2_IN_PER_M2


def dislocation_density_intercepts_per_m2(
    intercept_count: float,
    test_length_nm: float,
    foil_thickness_nm: float,
    *,
    visible_fraction: float = 1.0,
) -> float:
    """Give the length of line per volume from intercepts, in m^-2.

    rho = 2 N / (L t f) for N intercepts with test lines of total length L
    (R. K. Ham, Phil. Mag. 6 (1961) 1183). Use several directions, as
    dislocations are rarely isotropic in the plane.

    Args:
        intercept_count: Number of intercepts N.
        test_length_nm: Total length of test lines L.
        foil_thickness_nm: Foil thickness t.
        visible_fraction: Part f of the line length that is in contrast.

    Example:
        >>> f"{dislocation_density_intercepts_per_m2(100, 6400.0, 100.0):.4e}"
        '3.1250e+14'
    """
    per_nm2 = 2 * intercept_count / (test_length_nm * foil_thickness_nm)
    return per_nm2 / visible_fraction * PER_NM2_IN_PER_M2
