"""The scene on the pixels: annotation, contrast, and the list of true objects."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, Image, LabelMap
from defectkeras.synthesis.bodies import Body
from defectkeras.synthesis.contents import DISLOCATION, PRECIPITATE
from defectkeras.synthesis.drawing import Grid, Strip, pixels_near
from defectkeras.synthesis.lines import Box, Points, clip_to_foil, segment_lengths
from defectkeras.synthesis.loops import Loop
from defectkeras.synthesis.population import Inclusion
from defectkeras.synthesis.scene import Scene
from defectkeras.synthesis.truth import TrueObject
from defectkeras.synthesis.two_beam import LineContrast

_SMALLEST_WIDTH_PX = 3.0  # of an annotated line
_MIDDLE = 0.25  # part of a precipitate's contrast that is even over its area
_HIDING = 0.8  # loss of a line's contrast behind a precipitate or void


@dataclass(eq=False)
class Canvas:
    """The pixels while they are painted.

    Attributes:
        grid: The pixels.
        foil: The foil under them.
        contrast: Of dislocations, by distance and depth.
        class_map: (H, W).
        label_map: (H, W).
        lines: (H, W) factor on the intensity by dislocations.
        loops: (H, W) likewise by loops.
        precipitate_nm: (H, W) effective path in precipitates.
        void_nm: (H, W) path in voids.
        objects: What was painted, by label from 1.
    """

    grid: Grid
    foil: Box
    contrast: LineContrast
    class_map: ClassMap = field(init=False)
    label_map: LabelMap = field(init=False)
    lines: Image = field(init=False)
    loops: Image = field(init=False)
    precipitate_nm: Image = field(init=False)
    void_nm: Image = field(init=False)
    objects: list[TrueObject] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Make it empty."""
        shape = self.grid.shape
        self.class_map, self.label_map = (np.zeros(shape, np.int32) for _ in range(2))
        self.lines, self.loops = (np.ones(shape, np.float32) for _ in range(2))
        self.precipitate_nm, self.void_nm = (
            np.zeros(shape, np.float32) for _ in range(2)
        )

    @property
    def line_width_nm(self) -> float:
        """Width of an annotated line."""
        smallest_nm = _SMALLEST_WIDTH_PX * self.grid.pixel_size_nm
        return max(self.contrast.width_nm, smallest_nm)


def paint(rng: Generator, scene: Scene, grid: Grid, contrast: LineContrast) -> Canvas:
    """Paint a scene; regions lie over lines.

    Args:
        rng: Source of randomness, for the contrast of each object.
        scene: The foil and its contents.
        grid: The pixels.
        contrast: Of dislocations.

    Returns:
        The painted pixels, maps of shape (H, W).
    """
    canvas = Canvas(grid, scene.foil, contrast)
    for piece in scene.lines:
        paint_line(rng, canvas, piece)
    diffraction = rng.uniform(0, np.pi)
    for inclusion in scene.inclusions:
        strength = float(np.exp(0.2 * rng.normal()))
        if isinstance(inclusion.shape, Loop):
            paint_loop(canvas, inclusion, inclusion.shape, diffraction)
        else:
            paint_body(canvas, inclusion, inclusion.shape, strength)
    hidden = canvas.precipitate_nm + canvas.void_nm > 0
    canvas.lines[hidden] = 1 + (1 - _HIDING) * (canvas.lines[hidden] - 1)
    return canvas


def paint_line(rng: Generator, canvas: Canvas, piece: Points) -> None:
    """Paint a piece of dislocation and annotate it."""
    strength = float(rng.uniform(0.75, 1.1) * rng.choice([-1.0, 1.0]))
    strip = pixels_near(piece, canvas.grid, canvas.contrast.reach_nm)
    if strip is None:
        return
    depth_nm = np.interp(strip.position, np.arange(len(piece)), piece[:, 2])
    change = canvas.contrast.at(np.sign(strength) * strip.offset_nm, depth_nm)
    change *= _fading_ends(strip, len(piece), canvas.line_width_nm)
    at = strip.rows, strip.columns
    canvas.lines[at] *= np.maximum(1 + abs(strength) * change, 0.05)
    length_nm, _ = segment_lengths(piece, canvas.foil)
    near = abs(strip.offset_nm) < canvas.line_width_nm / 2
    if length_nm == 0 and not near.any():
        return
    label = len(canvas.objects) + 1
    canvas.class_map[at[0][near], at[1][near]] = DISLOCATION.index
    canvas.label_map[at[0][near], at[1][near]] = label
    middle = piece[len(piece) // 2]
    canvas.objects.append(
        TrueObject(
            label=label,
            class_name=DISLOCATION.name,
            center_nm=_as_tuple(middle),
            diameter_nm=None,
            volume_diameter_nm=None,
            volume_nm3=None,
            length_nm=length_nm,
            is_counted=length_nm > 0,
        )
    )


def paint_loop(
    canvas: Canvas, inclusion: Inclusion, loop: Loop, diffraction: float
) -> None:
    """Paint the outline of a loop and annotate its disc."""
    foil_thickness_nm = float(canvas.foil.high_nm[2])
    for piece in clip_to_foil(loop.outline_nm(), foil_thickness_nm):
        strip = pixels_near(piece, canvas.grid, canvas.contrast.reach_nm)
        if strip is None:
            continue
        index = np.arange(len(piece))
        depth_nm = np.interp(strip.position, index, piece[:, 2])
        arcs = np.interp(strip.position, index, loop.arc_strength(piece, diffraction))
        change = arcs * canvas.contrast.at(strip.offset_nm, depth_nm)
        canvas.loops[strip.rows, strip.columns] *= np.maximum(1 + change, 0.05)
    rim_nm = canvas.line_width_nm / 2
    window = canvas.grid.window(loop.center_nm, loop.half_extent_nm + rim_nm)
    if window is None:
        return
    mask = loop.mask(
        *canvas.grid.centers_nm(window),
        foil_thickness_nm=foil_thickness_nm,
        smallest_width_nm=canvas.line_width_nm,
    )
    _annotate(canvas, inclusion, window, mask)


def paint_body(
    canvas: Canvas, inclusion: Inclusion, body: Body, strength: float
) -> None:
    """Add the path through a precipitate or void and annotate it."""
    window = canvas.grid.window(body.center_nm, body.half_extent_nm)
    if window is None:
        return
    enter, leave = body.depths(*canvas.grid.centers_nm(window))
    thickness_nm = float(canvas.foil.high_nm[2])
    path = np.minimum(leave, thickness_nm) - np.maximum(enter, 0)
    mask = path > 0
    if inclusion.defect_class == PRECIPITATE:
        even_nm = _MIDDLE * inclusion.diameter_nm
        effective = strength * ((1 - _MIDDLE) * path + even_nm)
        canvas.precipitate_nm[window] += np.where(mask, effective, 0)
    else:
        canvas.void_nm[window] += np.maximum(path, 0)
    _annotate(canvas, inclusion, window, mask)


def _annotate(
    canvas: Canvas,
    inclusion: Inclusion,
    window: tuple[slice, slice],
    mask: NDArray[np.bool_],
) -> None:
    """Write a region into the maps and into the list of objects."""
    label = len(canvas.objects) + 1
    canvas.class_map[window][mask] = inclusion.defect_class.index
    canvas.label_map[window][mask] = label
    canvas.objects.append(_measured(inclusion, canvas.foil, label))


def _measured(inclusion: Inclusion, foil: Box, label: int) -> TrueObject:
    """Measure a region in three dimensions."""
    shape, defect_class = inclusion.shape, inclusion.defect_class
    center = shape.center_nm
    diameter_nm = inclusion.diameter_nm
    volume_nm3: float | None = None
    if isinstance(shape, Body):
        volume_nm3 = math.pi / 6 * diameter_nm**3
        if not shape.is_inside(foil):
            volume_nm3 = shape.measure(foil)[1]
        diameter_nm = shape.projected_diameter_nm()
    return TrueObject(
        label=label,
        class_name=defect_class.name,
        center_nm=_as_tuple(center),
        diameter_nm=diameter_nm,
        volume_diameter_nm=inclusion.diameter_nm if volume_nm3 is not None else None,
        volume_nm3=volume_nm3,
        length_nm=None,
        is_counted=bool(np.all((center >= foil.low_nm) & (center < foil.high_nm))),
    )


def _fading_ends(strip: Strip, num_points: int, width_nm: float) -> Image:
    """Give 1 beside a line, falling off (N,) beyond the points where it ends."""
    beyond = (strip.position <= 0) | (strip.position >= num_points - 1)
    fall = np.exp(-((2 * strip.offset_nm / width_nm) ** 2))
    return np.where(beyond, fall, 1.0).astype(np.float32)


def _as_tuple(point: Points) -> tuple[float, float, float]:
    row, column, depth = (float(x) for x in point)
    return row, column, depth
