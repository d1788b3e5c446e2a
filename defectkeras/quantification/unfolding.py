"""Sizes of spheres unfolded from the sizes of the discs that a foil shows.

Spheres of a class j with diameter D_j show discs of class i as often as a center
lies where the cut is of that size, so with the depths (two surfaces)

    h_ij = sqrt(D_j^2 - d_(i-1)^2) - sqrt(D_j^2 - d_i^2),    i <= j,

the number of discs per area is n_i = t N_i + s * sum over j >= i of h_ij N_j, which
is solved from the largest class down. In a section (t = 0) it is the method of
Scheil, Schwartz and Saltykov.

References:
    E. E. Underwood, Quantitative Stereology (1970), chapter 5;
    P. L. Goldsmith, Br. J. Appl. Phys. 18 (1967) 813,
    doi:10.1088/0508-3443/18/6/317.
"""

import numpy as np

from defectkeras.quantification.foil_cut import SPHERE_EXTENT
from defectkeras.quantification.runs import Floats


def unfold_sizes(
    counts_per_nm2: Floats,
    edges_nm: Floats,
    foil_thickness_nm: float,
    *,
    extent: float = SPHERE_EXTENT,
) -> Floats:
    """Give the number of spheres per volume in each class of diameter.

    Args:
        counts_per_nm2: (N,) discs seen per area in each class.
        edges_nm: (N + 1,) edges of the classes, ascending, from 0 or more.
        foil_thickness_nm: Foil thickness t; 0 for a plane section.
        extent: Extent along the beam over the diameter, s; 1 for spheres.

    Returns:
        (N,) in nm^-3, each class taken at its middle. A class can come out below
        0 by chance; the sum is right all the same.

    Example:
        >>> edges = np.array([0.0, 10.0, 20.0])
        >>> unfold_sizes(np.array([0.0, 6.0]), edges, 0.0).round(4)
        array([-0.41  ,  0.5367])
    """
    middles = (edges_nm[:-1] + edges_nm[1:]) / 2
    cut = np.minimum(edges_nm[None, :], middles[:, None])  # (j, edge)
    depths = np.sqrt(middles[:, None] ** 2 - cut**2)
    seen = extent * (depths[:, :-1] - depths[:, 1:]).T  # (i, j)
    seen[np.diag_indices(len(middles))] += foil_thickness_nm
    return np.asarray(np.linalg.solve(seen, counts_per_nm2))
