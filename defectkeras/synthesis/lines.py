"""Dislocation lines: a uniform, isotropic process of wavy curves in space.

Straight axes fall as a Poisson process of lines that is the same for every shift
and rotation. Each axis is bent across by a random function whose law is the same
along the axis and in all directions across it. So the curves, too, are the same
in law for every shift and rotation: no edge is depleted, no direction preferred,
and no line ends in the crystal. Points are (row, column, depth) in nm.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Points = NDArray[np.float64]

_NUM_WAVES = 6
_WAVELENGTHS_NM = (70.0, 450.0)
_LARGEST_SIGMA = 5.0
_SMALLEST_LEG_NM = 1e-9


@dataclass(frozen=True, eq=False)
class Box:
    """An upright box.

    Attributes:
        low_nm: (3,) smallest row, column and depth.
        high_nm: (3,) largest row, column and depth.
    """

    low_nm: Points
    high_nm: Points

    @property
    def volume_nm3(self) -> float:
        """Volume in nm^3."""
        return float(np.prod(self.high_nm - self.low_nm))

    def grown(self, rim_nm: tuple[float, float, float]) -> "Box":
        """Give the box with a rim on either side of each axis."""
        rim = np.asarray(rim_nm)
        return Box(self.low_nm - rim, self.high_nm + rim)


def draw_lines(
    rng: Generator, box: Box, *, density_per_nm2: float, slope: float, step_nm: float
) -> list[Points]:
    """Draw the curves that may meet a box.

    Args:
        rng: Source of randomness.
        box: Where the density is wanted; curves reach beyond it.
        density_per_nm2: Expected length per volume, in nm / nm^3.
        slope: Rms slope of a curve against its axis, for each direction across.
        step_nm: Distance of the points along the axis.

    Returns:
        Curves (N, 3) in nm.
    """
    rim_nm = _LARGEST_SIGMA * slope * _WAVELENGTHS_NM[1] / (2 * math.pi)
    center = (box.low_nm + box.high_nm) / 2
    radius_nm = float(np.linalg.norm(box.high_nm - center)) + rim_nm
    axes_per_nm2 = density_per_nm2 / mean_stretch(slope)
    count = rng.poisson(axes_per_nm2 * math.pi * radius_nm**2)
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    reach = box.grown((rim_nm,) * 3)
    curves = []
    for direction, across in zip(directions, _perpendicular(directions), strict=True):
        distance_nm = radius_nm * math.sqrt(rng.uniform())
        angle = rng.uniform(0, 2 * math.pi)
        foot = distance_nm * (np.cos(angle) * across[0] + np.sin(angle) * across[1])
        waves = _draw_waves(rng, slope)
        enter, leave = _span_in_box(center + foot, direction, reach)
        if enter >= leave:
            continue
        along = np.arange(float(enter), float(leave) + step_nm, step_nm)
        bend = _bend(along, waves) @ across
        curves.append(center + foot + along[:, None] * direction + bend)
    return curves


def mean_stretch(slope: float) -> float:
    """Give the mean length of a wavy curve for a unit length of its axis.

    E sqrt(1 + u'^2 + v'^2) for normal slopes u' and v':
    1 + sqrt(pi / 2) s exp(1 / (2 s^2)) erfc(1 / (s sqrt(2))).

    Args:
        slope: Rms slope s for each direction across; 0.05 to 1, or 0.

    Returns:
        1 or more.

    Example:
        >>> mean_stretch(0.0), round(mean_stretch(0.35), 4)
        (1.0, 1.1111)
    """
    if slope < 0.05:  # the product below is 0 times infinity
        return 1 + slope**2
    inverse = 1 / (slope * math.sqrt(2))
    tail = math.exp(inverse**2) * math.erfc(inverse)
    return 1 + math.sqrt(math.pi / 2) * slope * tail


def clip_to_foil(curve: Points, foil_thickness_nm: float) -> list[Points]:
    """Cut a curve at the foil surfaces.

    Args:
        curve: (N, 3) in nm.
        foil_thickness_nm: Depth of the exit surface.

    Returns:
        The pieces inside, each (M, 3), with end points on the surfaces.
    """
    for surface_nm in (0.0, foil_thickness_nm):
        curve = _with_crossings(curve, surface_nm)
    middle = (curve[1:, 2] + curve[:-1, 2]) / 2
    inside = (middle > 0) & (middle < foil_thickness_nm)
    flips = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    return [
        curve[first : last + 1]
        for first, last in zip(flips[::2], flips[1::2], strict=True)
    ]


def segment_lengths(curve: Points, box: Box) -> tuple[float, float]:
    """Measure a curve inside a box.

    Args:
        curve: (N, 3) in nm.
        box: Segments are cut at its faces.

    Returns:
        Length in space and length of the projection along the depth, in nm.
    """
    start, leg = curve[:-1], np.diff(curve, axis=0)
    enter, leave = _span_in_box(start, leg, box)
    part = np.maximum(np.minimum(leave, 1) - np.maximum(enter, 0), 0)
    return (
        float(part @ np.linalg.norm(leg, axis=1)),
        float(part @ np.linalg.norm(leg[:, :2], axis=1)),
    )


def _perpendicular(directions: Points) -> Points:
    """Give two unit vectors (N, 2, 3) across each of the unit vectors (N, 3)."""
    helper = np.eye(3)[np.argmin(abs(directions), axis=1)]
    first = np.cross(directions, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(directions, first)], axis=1)


def _draw_waves(rng: Generator, slope: float) -> tuple[Points, Points, Points]:
    """Draw wave numbers (K,) and amplitudes (K, 2) of cosine and sine."""
    low, high = np.log(_WAVELENGTHS_NM)
    number = 2 * np.pi / np.exp(rng.uniform(low, high, size=_NUM_WAVES))
    sigma = slope / (number * math.sqrt(_NUM_WAVES))
    cosine, sine = rng.normal(size=(2, _NUM_WAVES, 2)) * sigma[:, None]
    return number, cosine, sine


def _bend(along: Points, waves: tuple[Points, Points, Points]) -> Points:
    """Give the displacement across the axis (N, 2) in nm."""
    number, cosine, sine = waves
    phase = along[:, None] * number
    return np.asarray(np.cos(phase) @ cosine + np.sin(phase) @ sine)


def _span_in_box(start: Points, leg: Points, box: Box) -> tuple[Points, Points]:
    """Give where straight lines start + x leg enter and leave a box, as x.

    A line that misses the box leaves before it enters.
    """
    safe = np.where(abs(leg) < _SMALLEST_LEG_NM, _SMALLEST_LEG_NM, leg)
    first, second = (box.low_nm - start) / safe, (box.high_nm - start) / safe
    enter: Points = np.minimum(first, second).max(axis=-1)
    leave: Points = np.maximum(first, second).min(axis=-1)
    return enter, leave


def _with_crossings(curve: Points, depth_nm: float) -> Points:
    """Add the points in which a curve crosses a depth."""
    height = curve[:, 2] - depth_nm
    at = np.flatnonzero(height[1:] * height[:-1] < 0)
    part = (height[at] / (height[at] - height[at + 1]))[:, None]
    crossing = curve[at] + part * (curve[at + 1] - curve[at])
    crossing[:, 2] = depth_nm
    return np.insert(curve, at + 1, crossing, axis=0)
