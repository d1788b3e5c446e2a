"""Volume fraction and swelling, by named methods.

All take volumes as the cube of a diameter: 5 % in d is 16 % in the result.
"""

import math
from typing import Literal

import numpy as np

from defectkeras.core.names import require_known
from defectkeras.quantification.foil_cut import moment_weights
from defectkeras.quantification.runs import Floats

VolumeMethod = Literal[
    "cut_corrected",
    "thickness_plus_diameter",
    "all_visible",
    "projected_area",
    "delesse",
]
"""How a volume fraction is found, see `volume_fraction` and the two below it."""

OBJECT_METHODS = ("cut_corrected", "thickness_plus_diameter", "all_visible")


def volume_contributions(
    diameters_nm: Floats,
    area_nm2: float,
    foil_thickness_nm: float,
    *,
    method: VolumeMethod,
    weights: Floats,
) -> Floats:
    """Give what each sphere adds to the volume fraction.

    - "all_visible": (pi/6) d^3 / (A t), every seen sphere as if it lay whole in
      the foil (Jacobs 2023, doi:10.1038/s41598-023-32454-2); too high.
    - "thickness_plus_diameter": (pi/6) d^3 / (A (t + d_mean)).
    - "cut_corrected": (pi/6) u_3(d) / A, unbiased for spheres of any sizes.

    Args:
        diameters_nm: (N,) seen diameters.
        area_nm2: Area A of the field.
        foil_thickness_nm: Foil thickness t.
        method: One of the three above.
        weights: (N,) edge weights.

    Returns:
        (N,) parts of the volume fraction.

    Raises:
        ValueError: When the method is not one of objects.
    """
    if method not in OBJECT_METHODS:
        raise ValueError(f"`method` must be of {OBJECT_METHODS}. Received: {method}.")
    if method == "cut_corrected":
        per_area = moment_weights(diameters_nm, foil_thickness_nm, power=3)
    else:
        depth_nm = foil_thickness_nm
        total = float(weights.sum())
        if method == "thickness_plus_diameter" and total > 0:
            depth_nm += float(weights @ diameters_nm) / total
        per_area = diameters_nm**3 / depth_nm
    return np.asarray(math.pi / 6 * weights * per_area / area_nm2)


def volume_fraction(
    diameters_nm: Floats,
    area_nm2: float,
    foil_thickness_nm: float,
    *,
    method: VolumeMethod = "cut_corrected",
    weights: Floats | None = None,
) -> float:
    """Give the part of the foil's volume that spheres take up.

    Args:
        diameters_nm: (N,) seen diameters.
        area_nm2: Area of the field.
        foil_thickness_nm: Foil thickness.
        method: See `volume_contributions`.
        weights: (N,) edge weights; by default 1 each.

    Returns:
        From 0 on.

    Example:
        >>> one = np.array([20.0])
        >>> round(volume_fraction(one, 100.0**2, 100.0, method="all_visible"), 7)
        0.0041888
    """
    require_known(method, OBJECT_METHODS, what="volume method of objects")
    counts = np.ones(len(diameters_nm)) if weights is None else weights
    parts = volume_contributions(
        diameters_nm, area_nm2, foil_thickness_nm, method=method, weights=counts
    )
    return float(parts.sum())


def volume_fraction_from_area(
    area_fraction: float, foil_thickness_nm: float, sauter_diameter_nm: float
) -> float:
    """Give the volume fraction of spheres from the projected area fraction.

    V_V = 2 D / (2 D + 3 t) * (-ln(1 - A_A)) with the Sauter diameter
    D = E[D^3] / E[D^2]. The logarithm puts right that spheres hide each other
    in projection, when they lie at random; t = 0 gives A_A nearly (Delesse).

    Args:
        area_fraction: Projected area fraction A_A; 1 gives 1.
        foil_thickness_nm: Foil thickness t.
        sauter_diameter_nm: D, for one size the diameter.

    Returns:
        The volume fraction.

    Example:
        >>> round(volume_fraction_from_area(0.1, 100.0, 20.0), 6)
        0.012395

    References:
        J. E. Hilliard, Trans. AIME 224 (1962) 906; E. E. Underwood,
        Quantitative Stereology, 1970, chapter 6.
    """
    if area_fraction >= 1:
        return 1.0
    covered = -math.log1p(-area_fraction)
    d = sauter_diameter_nm
    return 2 * d / (2 * d + 3 * foil_thickness_nm) * covered


def swelling_percent(volume_fraction_of_voids: float) -> float:
    """Give the swelling from the volume fraction of voids.

    100 V_V / (1 - V_V): the volume of the voids over that of the solid.

    Args:
        volume_fraction_of_voids: V_V, from 0 to below 1.

    Example:
        >>> one = np.array([20.0])
        >>> f = volume_fraction(one, 100.0**2, 100.0, method="all_visible")
        >>> round(swelling_percent(f), 5)
        0.42064
    """
    return 100 * volume_fraction_of_voids / (1 - volume_fraction_of_voids)
