"""Convex bodies in a foil: spheres, ellipsoids, cuboids, faceted voids.

Each is an ellipsoid cut by planes, so that a ray along the beam meets it in one
interval of depth. The rest follows from the intervals: mask, path length, volume.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from defectkeras.synthesis.lines import Box, Points

_SAMPLES = 48  # rays across a body for its volume

_GRAZING = 1e-9  # a face along the beam is tilted so little

CUBE_FACES = np.eye(3)
OCTAHEDRON_FACES = np.array(
    [[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]]
) / math.sqrt(3)
DODECAHEDRON_FACES = np.array(
    [[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]]
) / math.sqrt(2)


@dataclass(frozen=True, eq=False)
class Body:
    """An ellipsoid, cut by planes.

    Attributes:
        center_nm: (3,) row, column and depth in nm.
        half_axes_nm: (3,) of the ellipsoid.
        rotation: (3, 3) from the axes of the body to row, column, depth.
        faces: (F, 3) in the axes of the body; the pairs of parallel planes
            faces @ (x / half_axes) = 1 and -1 cut the ellipsoid.
    """

    center_nm: Points
    half_axes_nm: Points
    rotation: Points
    faces: Points

    @property
    def half_extent_nm(self) -> Points:
        """(3,) half sides of the upright box about the ellipsoid."""
        return np.asarray(np.linalg.norm(self.rotation * self.half_axes_nm, axis=1))

    def moved_to(self, center_nm: Points) -> "Body":
        """Give the body at another place."""
        return replace(self, center_nm=np.asarray(center_nm, dtype=np.float64))

    def with_volume_diameter(self, diameter_nm: float) -> "Body":
        """Give the body scaled to the volume of a sphere of this diameter."""
        return self.scaled(diameter_nm / self.volume_diameter_nm())

    def scaled(self, factor: float) -> "Body":
        """Give the body with all its lengths times a factor."""
        return replace(self, half_axes_nm=self.half_axes_nm * factor)

    def volume_diameter_nm(self) -> float:
        """Give the diameter of the sphere of equal volume."""
        if len(self.faces) == 0:
            return 2 * float(np.cbrt(np.prod(self.half_axes_nm)))
        return float(np.cbrt(6 * self.measure(None)[1] / math.pi))

    def projected_diameter_nm(self) -> float:
        """Give the diameter of the circle with the area of the projection."""
        if len(self.faces) == 0:  # the shadow is the ellipse x S^-1 x = 1
            arms = (self.rotation * self.half_axes_nm)[:2]
            return float(2 * np.sqrt(np.sqrt(np.linalg.det(arms @ arms.T))))
        return 2 * math.sqrt(self.measure(None)[0] / math.pi)

    def depths(
        self, row_nm: NDArray[np.float64], column_nm: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give where rays along the beam enter and leave the body.

        Args:
            row_nm: (H, 1) positions of the rays.
            column_nm: (1, W) positions of the rays.

        Returns:
            Two (H, W) depths in nm; a ray that misses has leave <= enter.
        """
        row, column = row_nm - self.center_nm[0], column_nm - self.center_nm[1]
        scale = self.rotation.T / self.half_axes_nm[:, None]
        form = scale.T @ scale  # the ellipsoid is x . form . x = 1
        mixed = (form[0, 2] * row + form[1, 2] * column) / form[2, 2]
        square = form[0, 0] * row**2 + form[1, 1] * column**2 - 1
        square = (square + 2 * form[0, 1] * row * column) / form[2, 2]
        half = np.sqrt(np.maximum(mixed**2 - square, 0))
        enter, leave = -mixed - half, half - mixed
        for face in self.faces @ scale:
            middle = -(face[0] * row + face[1] * column)
            along = max(abs(face[2]), _GRAZING) * math.copysign(1, face[2])
            enter = np.maximum(enter, (middle - math.copysign(1, along)) / along)
            leave = np.minimum(leave, (middle + math.copysign(1, along)) / along)
        return enter + self.center_nm[2], leave + self.center_nm[2]

    def is_inside(self, box: Box) -> bool:
        """Say whether no face of a box cuts the body."""
        low = self.center_nm - self.half_extent_nm
        high = self.center_nm + self.half_extent_nm
        return bool(np.all(low >= box.low_nm) and np.all(high <= box.high_nm))

    def measure(self, box: Box | None) -> tuple[float, float]:
        """Measure the part of the body inside a box by rays.

        Args:
            box: Cuts the body; None measures all of it.

        Returns:
            Projected area in nm^2 and volume in nm^3.
        """
        low = (self.center_nm - self.half_extent_nm)[:2]
        high = (self.center_nm + self.half_extent_nm)[:2]
        if box is not None:
            low = np.maximum(low, box.low_nm[:2])
            high = np.minimum(high, box.high_nm[:2])
        if np.any(high <= low):
            return 0.0, 0.0
        middles = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
        row, column = low[:, None] + (high - low)[:, None] * middles
        enter, leave = self.depths(row[:, None], column[None, :])
        if box is not None:
            enter = np.maximum(enter, box.low_nm[2])
            leave = np.minimum(leave, box.high_nm[2])
        path = np.maximum(leave - enter, 0)
        cell_nm2 = float(np.prod(high - low)) / _SAMPLES**2
        return np.count_nonzero(path) * cell_nm2, float(path.sum()) * cell_nm2


def make_ellipsoid(diameter_nm: float, elongation: float, rng: Generator) -> Body:
    """Make an ellipsoid of random axes and rotation about the origin.

    Args:
        diameter_nm: Of the sphere of equal volume.
        elongation: Standard deviation of the logarithm of each half axis.
        rng: Source of randomness.
    """
    ratios = np.exp(elongation * rng.normal(size=3))
    half_axes_nm = diameter_nm / 2 * ratios / np.prod(ratios) ** (1 / 3)
    return Body(np.zeros(3), half_axes_nm, draw_rotation(rng), np.zeros((0, 3)))


def make_cuboid(
    diameter_nm: float, elongation: float, rotation: Points, rng: Generator
) -> Body:
    """Make a cuboid with rounded corners about the origin.

    Args:
        diameter_nm: Of the sphere of equal volume.
        elongation: Standard deviation of the logarithm of each edge.
        rotation: (3, 3) of the crystal.
        rng: Source of randomness.
    """
    ratios = np.exp(elongation * rng.normal(size=3))
    rounding = rng.uniform(1.25, 1.5)  # 1 is a sphere, sqrt(3) a sharp cube
    body = Body(np.zeros(3), ratios * rounding, rotation, CUBE_FACES * rounding)
    return body.with_volume_diameter(diameter_nm)


def make_faceted(diameter_nm: float, rotation: Points, rng: Generator) -> Body:
    """Make a void with {111}, {100} and {110} facets about the origin.

    Args:
        diameter_nm: Of the sphere of equal volume.
        rotation: (3, 3) of the crystal.
        rng: Source of randomness.
    """
    rounding = 1.2
    families = (
        OCTAHEDRON_FACES,
        CUBE_FACES / rng.uniform(0.98, 1.15),
        DODECAHEDRON_FACES / rng.uniform(1.02, 1.12),
    )
    faces = np.concatenate(families) * rounding
    body = Body(np.zeros(3), np.full(3, rounding), rotation, faces)
    return body.with_volume_diameter(diameter_nm)


def draw_rotation(rng: Generator) -> Points:
    """Draw a rotation (3, 3), uniform over all of them."""
    q = rng.normal(size=4)
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
