import math

import numpy as np
import pytest

from defectkeras.synthesis.bodies import make_ellipsoid
from defectkeras.synthesis.contents import (
    DISLOCATION,
    LOOP,
    PRECIPITATE,
    VOID,
)
from defectkeras.synthesis.drawing import Grid
from defectkeras.synthesis.imaging import Imaging
from defectkeras.synthesis.lines import Box
from defectkeras.synthesis.loops import Loop
from defectkeras.synthesis.painting import paint
from defectkeras.synthesis.population import Inclusion
from defectkeras.synthesis.scene import Scene
from defectkeras.synthesis.two_beam import compute_line_contrast

GRID = Grid((160, 240), 0.5)
FOIL = Box(np.zeros(3), np.array([80.0, 120.0, 100.0]))
CONTRAST = compute_line_contrast(Imaging(), 100.0)


def sphere(center, diameter_nm, defect_class=VOID):
    shape = make_ellipsoid(diameter_nm, 0.0, np.random.default_rng(0)).moved_to(center)
    return Inclusion(defect_class, diameter_nm, shape)


def line(start, end):
    part = np.linspace(0, 1, 400)[:, None]
    return np.array(start, float) + part * np.subtract(end, start)


def painted(lines=(), inclusions=()):
    scene = Scene(FOIL, list(lines), list(inclusions))
    return paint(np.random.default_rng(0), scene, GRID, CONTRAST)


def test_line_is_annotated_as_wide_as_its_image():
    canvas = painted([line((40, 10, 0), (40, 110, 100))])
    rows = np.count_nonzero(canvas.class_map[:, 120])
    assert rows * 0.5 == pytest.approx(CONTRAST.width_nm, abs=0.5)
    assert set(np.unique(canvas.class_map)) == {0, DISLOCATION.index}
    columns = np.count_nonzero(canvas.label_map.any(axis=0)) * 0.5
    assert columns == pytest.approx(100 + CONTRAST.width_nm, abs=1.0)
    (entry,) = canvas.objects
    assert entry.length_nm == pytest.approx(math.hypot(100, 100))
    assert entry.is_counted


def test_line_is_dark_and_centered():
    canvas = painted([line((40, 10, 0), (40, 110, 100))])
    profile = np.minimum(canvas.lines[:, 60:180].mean(axis=1), 1)
    assert profile.min() < 0.8
    center = np.average(np.arange(160) + 0.5, weights=(1 - profile) ** 2) * 0.5
    assert center == pytest.approx(40, abs=1.5)


def test_annotated_line_is_three_pixels_wide_at_least():
    coarse = Grid((80, 120), 3.0)
    foil = Box(np.zeros(3), np.array([240.0, 360.0, 100.0]))
    scene = Scene(foil, [line((120, 30, 0), (120, 330, 100))], [])
    canvas = paint(np.random.default_rng(0), scene, coarse, CONTRAST)
    assert np.count_nonzero(canvas.class_map[:, 60]) in (2, 3, 4)


def test_disc_of_a_sphere_has_its_area():
    canvas = painted([], [sphere((40, 60, 50), 30.0)])
    area_nm2 = np.count_nonzero(canvas.class_map == VOID.index) * 0.25
    assert area_nm2 == pytest.approx(math.pi * 15**2, rel=0.01)
    assert canvas.void_nm.sum() * 0.25 == pytest.approx(math.pi / 6 * 30**3, rel=0.01)
    (entry,) = canvas.objects
    assert entry.volume_nm3 == pytest.approx(math.pi / 6 * 30**3)
    assert entry.diameter_nm == pytest.approx(30)


def test_cut_sphere_shows_its_cap_only():
    canvas = painted([], [sphere((40, 60, -9), 30.0)])
    area_nm2 = np.count_nonzero(canvas.class_map == VOID.index) * 0.25
    assert area_nm2 == pytest.approx(math.pi * (15**2 - 9**2), rel=0.02)
    (entry,) = canvas.objects
    assert entry.volume_nm3 == pytest.approx(math.pi * 6**2 * (45 - 6) / 3, rel=0.01)
    assert not entry.is_counted


def test_field_border_cuts_volume():
    canvas = painted([], [sphere((40, 120, 50), 30.0)])
    (entry,) = canvas.objects
    assert entry.volume_nm3 == pytest.approx(math.pi / 12 * 30**3, rel=0.01)
    assert not entry.is_counted  # the border column belongs to the next field


def test_region_hides_a_line():
    canvas = painted(
        [line((40, 10, 40), (40, 110, 60))],
        [sphere((40, 60, 50), 30.0, PRECIPITATE)],
    )
    assert canvas.class_map[80, 120] == PRECIPITATE.index
    assert canvas.label_map[80, 120] == 2
    weak, strong = canvas.lines[80, 100:140].min(), canvas.lines[80, 30:80].min()
    assert weak > strong


def test_loop_is_annotated_as_a_disc_and_drawn_as_two_arcs():
    loop = Loop(np.array([40.0, 60.0, 50.0]), 20.0, np.array([0.0, 0.0, 1.0]))
    canvas = painted([], [Inclusion(LOOP, 40.0, loop)])
    area_nm2 = np.count_nonzero(canvas.class_map == LOOP.index) * 0.25
    assert area_nm2 == pytest.approx(math.pi * 400, rel=0.01)
    (entry,) = canvas.objects
    assert (entry.diameter_nm, entry.volume_nm3) == (40.0, None)
    row, column = np.indices(GRID.shape)
    radius = np.hypot(row * 0.5 + 0.25 - 40, column * 0.5 + 0.25 - 60)
    ring = abs(radius - 20) < 1.5
    angle = np.arctan2(row * 0.5 - 40, column * 0.5 - 60)
    around = [
        canvas.loops[ring & (abs(angle - a) < 0.15)].mean()
        for a in np.linspace(-3, 3, 41)
    ]
    dark = np.array(around) < np.mean(around)
    assert min(around) < 0.8
    assert np.count_nonzero(np.diff(np.append(dark, dark[0]).astype(int)) == 1) == 2


def test_object_outside_the_field_is_not_listed():
    assert painted([], [sphere((-40, 60, 50), 30.0)]).objects == []
