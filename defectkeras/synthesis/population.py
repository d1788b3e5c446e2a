"""Precipitates, voids and loops: how many, how large, how deep, and where.

The centers fall as a Poisson process in space, so the number per volume is what
the contents say, and every object that touches the foil is drawn, cut or whole.
In the plane the objects keep a distance from each other (a hard core), on a torus
larger than the field, so that no part of the field is depleted.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from defectkeras.core.errors import DatasetError
from defectkeras.core.labels import DefectClass
from defectkeras.synthesis.bodies import (
    Body,
    draw_rotation,
    make_cuboid,
    make_ellipsoid,
    make_faceted,
)
from defectkeras.synthesis.contents import LOOP, PRECIPITATE, VOID, Contents
from defectkeras.synthesis.lines import Box, Points
from defectkeras.synthesis.loops import Loop, make_loop

_LARGEST_SIGMA = 3.5
_EXTENT = 1.75  # largest half extent of a body in radii of the equal sphere
_TRIES = 1000


@dataclass(frozen=True, eq=False)
class Inclusion:
    """An object in the foil that is a region in projection.

    Attributes:
        defect_class: What it is.
        diameter_nm: Of the sphere of equal volume, or of the loop.
        shape: Its geometry.
    """

    defect_class: DefectClass
    diameter_nm: float
    shape: Body | Loop


@dataclass(frozen=True)
class Population:
    """The expected objects of one class.

    Attributes:
        defect_class: What they are.
        per_nm3: Expected number of centers per volume.
        mean_diameter_nm: Mean of the log-normal diameters.
        log_sd: Standard deviation of ln d.
        make: Gives an object of a diameter about the origin.
    """

    defect_class: DefectClass
    per_nm3: float
    mean_diameter_nm: float
    log_sd: float
    make: Callable[[float], Body | Loop]

    @property
    def largest_extent_nm(self) -> float:
        """Largest half extent of an object."""
        largest_nm = self.mean_diameter_nm * math.exp(_LARGEST_SIGMA * self.log_sd)
        return _EXTENT * largest_nm / 2


def draw_inclusions(
    rng: Generator, contents: Contents, foil: Box, *, gap_nm: float
) -> list[Inclusion]:
    """Draw all precipitates, voids and loops that touch the foil.

    Args:
        rng: Source of randomness.
        contents: Expected numbers and sizes.
        foil: The foil under the field; objects beyond its border are drawn too.
        gap_nm: Smallest distance of two objects in projection.

    Returns:
        The objects; some lie outside the field.

    Raises:
        DatasetError: When they cannot lie side by side.
    """
    populations = [p for p in _populations(rng, contents) if p.per_nm3 > 0]
    if not populations:
        return []
    rim_nm = max(p.largest_extent_nm for p in populations) + gap_nm
    low = foil.low_nm[:2] - rim_nm
    sides = foil.high_nm[:2] + rim_nm - low
    thickness_nm = float(foil.high_nm[2])
    loose = [
        inclusion
        for population in populations
        for inclusion in _draw_loose(rng, population, float(sides.prod()), thickness_nm)
    ]
    radii = np.array([float(max(i.shape.half_extent_nm[:2])) for i in loose])
    places = low + place_apart(rng, radii, sides, gap_nm=gap_nm)
    return [
        replace(i, shape=i.shape.moved_to(np.append(place, i.shape.center_nm[2])))
        for i, place in zip(loose, places, strict=True)
    ]


def place_apart(
    rng: Generator, radii_nm: Points, sides_nm: Points, *, gap_nm: float
) -> Points:
    """Place discs at random on a torus so that no two overlap.

    Args:
        rng: Source of randomness.
        radii_nm: (N,) of the discs.
        sides_nm: (2,) of the torus.
        gap_nm: Smallest distance between two discs.

    Returns:
        (N, 2) centers.

    Raises:
        DatasetError: When no place is left.
    """
    torus = _Torus(sides_nm, 2 * float(radii_nm.max(initial=0.0)) + gap_nm)
    places = np.zeros((len(radii_nm), 2))
    for index in np.argsort(-radii_nm, kind="stable"):
        for _ in range(_TRIES):
            place = rng.uniform(size=2) * sides_nm
            if torus.take(
                float(place[0]), float(place[1]), radii_nm[index] + gap_nm / 2
            ):
                places[index] = place
                break
        else:
            raise DatasetError(
                "Precipitates, voids and loops must leave room for each other in "
                f"projection. Received: {len(radii_nm)} objects of mean radius "
                f"{radii_nm.mean():.3g} nm in {sides_nm[0]:.4g} x {sides_nm[1]:.4g} "
                "nm. Give fewer per volume, smaller ones or a thinner foil."
            )
    return places


class _Torus:
    """Discs on a torus, in cells so wide that only neighbors can overlap."""

    def __init__(self, sides_nm: Points, cell_nm: float) -> None:
        self.height_nm, self.width_nm = (float(side) for side in sides_nm)
        self.rows = max(int(self.height_nm / cell_nm), 1)
        self.columns = max(int(self.width_nm / cell_nm), 1)
        self.cells: dict[tuple[int, int], list[tuple[float, float, float]]] = {}

    def take(self, row_nm: float, column_nm: float, radius_nm: float) -> bool:
        """Put a disc here unless it overlaps another; say whether it is put."""
        i = int(row_nm / self.height_nm * self.rows)
        j = int(column_nm / self.width_nm * self.columns)
        for di, dj in itertools.product((-1, 0, 1), repeat=2):
            cell = ((i + di) % self.rows, (j + dj) % self.columns)
            for other_row, other_column, other_radius in self.cells.get(cell, ()):
                reach_nm = radius_nm + other_radius
                down = abs(other_row - row_nm)
                down = min(down, self.height_nm - down)
                if down < reach_nm:
                    across = abs(other_column - column_nm)
                    across = min(across, self.width_nm - across)
                    if math.hypot(down, across) < reach_nm:
                        return False
        self.cells.setdefault((i, j), []).append((row_nm, column_nm, radius_nm))
        return True


def _populations(rng: Generator, contents: Contents) -> list[Population]:
    """Give the populations; one crystal orientation is common to all."""
    c, crystal = contents, draw_rotation(rng)
    facets = make_faceted(1.0, crystal, rng)  # surface energies are common, too

    def make_precipitate(diameter_nm: float) -> Body:
        if rng.uniform() < c.cuboid_fraction:
            return make_cuboid(diameter_nm, c.precipitate_elongation, crystal, rng)
        return make_ellipsoid(diameter_nm, c.precipitate_elongation, rng)

    def make_void(diameter_nm: float) -> Body:
        if rng.uniform() < c.faceted_fraction:
            return facets.scaled(diameter_nm)
        return make_ellipsoid(diameter_nm, 0.0, rng)

    def make_crystal_loop(diameter_nm: float) -> Loop:
        return make_loop(diameter_nm, crystal, rng)

    return [
        Population(
            PRECIPITATE,
            c.precipitates_per_m3 * 1e-27,
            c.precipitate_diameter_nm,
            c.precipitate_log_sd,
            make_precipitate,
        ),
        Population(
            VOID, c.voids_per_m3 * 1e-27, c.void_diameter_nm, c.void_log_sd, make_void
        ),
        Population(
            LOOP,
            c.loops_per_m3 * 1e-27,
            c.loop_diameter_nm,
            c.loop_log_sd,
            make_crystal_loop,
        ),
    ]


def _draw_loose(
    rng: Generator, population: Population, area_nm2: float, thickness_nm: float
) -> list[Inclusion]:
    """Draw objects with their depths, for an area; those beside the foil go."""
    extent_nm = population.largest_extent_nm
    volume_nm3 = area_nm2 * (thickness_nm + 2 * extent_nm)
    inclusions = []
    for _ in range(rng.poisson(population.per_nm3 * volume_nm3)):
        deviate = min(rng.normal(), _LARGEST_SIGMA) - population.log_sd / 2
        diameter_nm = population.mean_diameter_nm * math.exp(
            population.log_sd * deviate
        )
        depth_nm = rng.uniform(-extent_nm, thickness_nm + extent_nm)
        if (
            abs(depth_nm - thickness_nm / 2)
            > (thickness_nm + _EXTENT * diameter_nm) / 2
        ):
            continue
        shape = population.make(diameter_nm).moved_to(np.array([0, 0, depth_nm]))
        if abs(depth_nm - thickness_nm / 2) < (
            thickness_nm / 2 + float(shape.half_extent_nm[2])
        ):
            inclusions.append(Inclusion(population.defect_class, diameter_nm, shape))
    return inclusions
