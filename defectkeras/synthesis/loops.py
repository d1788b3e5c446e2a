"""Dislocation loops: inclined circles, seen as ellipses with two dark arcs."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from defectkeras.synthesis.lines import Points

_NUM_POINTS = 96


@dataclass(frozen=True, eq=False)
class Loop:
    """A flat circular loop.

    Attributes:
        center_nm: (3,) row, column and depth in nm.
        radius_nm: Of the circle.
        normal: (3,) unit vector of its plane.
    """

    center_nm: Points
    radius_nm: float
    normal: Points

    @property
    def half_extent_nm(self) -> Points:
        """(3,) half sides of the upright box about the circle."""
        return np.asarray(self.radius_nm * np.sqrt(np.maximum(1 - self.normal**2, 0)))

    def moved_to(self, center_nm: Points) -> "Loop":
        """Give the loop at another place."""
        return replace(self, center_nm=np.asarray(center_nm, dtype=np.float64))

    def outline_nm(self) -> Points:
        """Give the circle as a closed curve (N, 3) in nm."""
        flat, steep = self._axes()
        angle = np.linspace(0, 2 * np.pi, _NUM_POINTS + 1)[:, None]
        circle = np.cos(angle) * flat + np.sin(angle) * steep
        return np.asarray(self.center_nm + self.radius_nm * circle)

    def arc_strength(self, curve: Points, direction: float) -> NDArray[np.float64]:
        """Give the strength of contrast at points of the outline.

        Small loops show two lobes, large ones two arcs, parted by a line of little
        contrast across the diffraction vector.

        Args:
            curve: (N, 3) points of the outline in nm.
            direction: Angle of the diffraction vector in the image, in radians.

        Returns:
            (N,) from 0.15 to 1.
        """
        vector = np.array([math.sin(direction), math.cos(direction), 0.0])
        across = abs((curve - self.center_nm) @ vector)
        flat, steep = self._axes()
        largest_nm = self.radius_nm * math.hypot(flat @ vector, steep @ vector)
        return np.asarray(0.15 + 0.85 * across / max(largest_nm, 1e-9))

    def mask(
        self,
        row_nm: NDArray[np.float64],
        column_nm: NDArray[np.float64],
        *,
        foil_thickness_nm: float,
        smallest_width_nm: float,
    ) -> NDArray[np.bool_]:
        """Give the projected disc, cut at the foil surfaces.

        Args:
            row_nm: (H, 1) pixel centers.
            column_nm: (1, W) pixel centers.
            foil_thickness_nm: Depth of the exit surface.
            smallest_width_nm: A loop seen edge-on is annotated this wide.

        Returns:
            (H, W) true inside.
        """
        flat, steep = self._axes()
        row, column = row_nm - self.center_nm[0], column_nm - self.center_nm[1]
        long = (row * flat[0] + column * flat[1]) / self.radius_nm
        cosine = math.hypot(steep[0], steep[1])
        uphill = steep[:2] / cosine if cosine > 1e-9 else np.array([-flat[1], flat[0]])
        half_width_nm = max(self.radius_nm * cosine, smallest_width_nm / 2)
        short = (row * uphill[0] + column * uphill[1]) / half_width_nm
        depth = self.center_nm[2] + short * self.radius_nm * steep[2]
        in_foil = (depth > 0) & (depth < foil_thickness_nm)
        inside: NDArray[np.bool_] = (long**2 + short**2 < 1) & in_foil
        return inside

    def _axes(self) -> tuple[Points, Points]:
        """Give two unit vectors (3,) in the plane, the first across the beam."""
        row, column = float(self.normal[0]), float(self.normal[1])
        flat = np.array([-column, row, 0.0])
        length = float(np.linalg.norm(flat))
        flat = flat / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
        return flat, np.cross(self.normal, flat)


def make_loop(diameter_nm: float, rotation: Points, rng: Generator) -> Loop:
    """Make a loop on one of the {111} planes about the origin.

    Args:
        diameter_nm: Of the circle.
        rotation: (3, 3) of the crystal.
        rng: Source of randomness.
    """
    signs = np.array([1.0, rng.choice([-1.0, 1.0]), rng.choice([-1.0, 1.0])])
    return Loop(np.zeros(3), diameter_nm / 2, rotation @ (signs / math.sqrt(3)))
