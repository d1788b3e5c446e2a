"""The scene: everything that lies in a foil, before anyone looks at it."""

import math
from dataclasses import dataclass

import numpy as np

from defectkeras.synthesis.contents import Contents
from defectkeras.synthesis.drawing import Grid
from defectkeras.synthesis.lines import Box, Points, clip_to_foil, draw_lines
from defectkeras.synthesis.population import Inclusion, draw_inclusions

_GAP_PX = 3.0
_STEP_PX = 0.8
_LARGEST_STEP_NM = 2.0  # lines bend over tens of nm


@dataclass(frozen=True, eq=False)
class Scene:
    """The contents of a foil.

    Attributes:
        foil: The foil under the field.
        lines: Pieces of dislocation (N, 3) in nm from surface to surface; they
            reach beyond the field.
        inclusions: Precipitates, voids and loops; some lie beyond the field.
    """

    foil: Box
    lines: list[Points]
    inclusions: list[Inclusion]


def draw_scene(
    seed: int,
    contents: Contents,
    grid: Grid,
    *,
    foil_thickness_nm: float,
    rim_nm: float,
) -> Scene:
    """Draw what lies in a foil.

    Args:
        seed: Lines and inclusions are drawn from it independently.
        contents: Expected numbers and sizes.
        grid: The pixels of the field.
        foil_thickness_nm: Thickness along the beam.
        rim_nm: How far beyond the field lines are wanted.

    Returns:
        The scene.
    """
    height_nm, width_nm = (n * grid.pixel_size_nm for n in grid.shape)
    foil = Box(np.zeros(3), np.array([height_nm, width_nm, foil_thickness_nm]))
    curves = draw_lines(
        np.random.default_rng([seed, 2]),
        foil.grown((rim_nm, rim_nm, 0.0)),
        density_per_nm2=contents.dislocation_density_per_m2 * 1e-18,
        slope=contents.dislocation_slope,
        step_nm=min(_STEP_PX * grid.pixel_size_nm, _LARGEST_STEP_NM),
    )
    return Scene(
        foil=foil,
        lines=[p for c in curves for p in clip_to_foil(c, foil_thickness_nm)],
        inclusions=draw_inclusions(
            np.random.default_rng([seed, 3]),
            contents,
            foil,
            gap_nm=(_GAP_PX + math.sqrt(2)) * grid.pixel_size_nm,
        ),
    )
