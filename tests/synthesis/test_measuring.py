"""The truth against points thrown into the foil, and against stereology."""

import math

import numpy as np
import pytest

from defectkeras.synthesis.contents import Contents
from defectkeras.synthesis.drawing import Grid
from defectkeras.synthesis.imaging import Imaging
from defectkeras.synthesis.lines import segment_lengths
from defectkeras.synthesis.measuring import measure_truth
from defectkeras.synthesis.painting import paint
from defectkeras.synthesis.scene import draw_scene
from defectkeras.synthesis.two_beam import compute_line_contrast

GRID = Grid((160, 240), 1.0)
THICKNESS_NM = 60.0
CONTRAST = compute_line_contrast(Imaging(), THICKNESS_NM)
CONTENTS = Contents(
    dislocation_density_per_m2=4e14,
    precipitates_per_m3=2e21,
    precipitate_elongation=0.2,
    cuboid_fraction=0.5,
    voids_per_m3=8e21,
    void_diameter_nm=14.0,
    faceted_fraction=0.5,
    loops_per_m3=1e21,
)


def measured(seed, contents=CONTENTS):
    scene = draw_scene(
        seed,
        contents,
        GRID,
        foil_thickness_nm=THICKNESS_NM,
        rim_nm=CONTRAST.reach_nm,
    )
    canvas = paint(np.random.default_rng(seed), scene, GRID, CONTRAST)
    return scene, canvas, measure_truth(canvas, scene)


def test_volumes_against_random_points():
    scene, _, truth = measured(1)
    points = np.random.default_rng(0).uniform(size=(150_000, 3)) * scene.foil.high_nm
    for name in ("precipitate", "void"):
        inside = np.zeros(len(points), bool)
        for i in scene.inclusions:
            if i.defect_class.name == name:
                body = i.shape
                arms = points - body.center_nm
                near = np.flatnonzero(np.all(abs(arms) <= body.half_extent_nm, axis=1))
                inner = arms[near] @ body.rotation / body.half_axes_nm
                inside[near] |= (np.sum(inner**2, axis=1) <= 1) & np.all(
                    abs(inner @ body.faces.T) <= 1, axis=1
                )
        percent = 100 * inside.mean()
        error = 100 * math.sqrt(inside.mean() / len(points))
        assert abs(truth.regions[name].volume_fraction_percent - percent) < 4 * error
    empty = truth.regions["void"].volume_fraction_percent
    assert truth.swelling_percent == pytest.approx(100 * empty / (100 - empty))


def test_counts_and_sizes_are_those_of_centers_inside():
    scene, canvas, truth = measured(2)
    for name, region in truth.regions.items():
        within = [
            i
            for i in scene.inclusions
            if i.defect_class.name == name
            and np.all(i.shape.center_nm >= 0)
            and np.all(i.shape.center_nm < scene.foil.high_nm)
        ]
        assert region.count == len(within) > 0
        per_m3 = len(within) / (160 * 240 * THICKNESS_NM) * 1e27
        assert region.number_density_per_m3 == pytest.approx(per_m3)
        volume_mean = np.mean([i.diameter_nm for i in within])
        if name != "loop":
            assert region.mean_volume_diameter_nm == pytest.approx(volume_mean)
            assert region.mean_diameter_nm == pytest.approx(volume_mean, rel=0.2)
        else:
            assert region.mean_diameter_nm == pytest.approx(volume_mean)
            assert region.volume_fraction_percent is None
        index = {"precipitate": 2, "void": 3, "loop": 4}[name]
        area = 100 * np.mean(canvas.class_map == index)
        assert region.area_fraction_percent == pytest.approx(area)


def test_line_length_is_that_of_the_curves():
    scene, canvas, truth = measured(3)
    length = sum(segment_lengths(piece, scene.foil)[0] for piece in scene.lines)
    assert truth.line_length_nm == pytest.approx(length)
    volume_nm3 = 160 * 240 * THICKNESS_NM
    assert truth.dislocation_density_per_m2 == pytest.approx(length / volume_nm3 * 1e18)
    listed = sum(o.length_nm or 0 for o in canvas.objects)
    assert listed == pytest.approx(length)
    assert truth.lines.count == sum(bool(o.length_nm) for o in canvas.objects)


def test_an_empty_foil_has_empty_truth():
    _, _, truth = measured(0, Contents())
    assert truth.line_length_nm == truth.lines.projected_length_nm == 0
    assert truth.swelling_percent == 0
    assert truth.regions["void"].mean_diameter_nm is None
    assert truth.objects == ()


def test_volume_fraction_is_the_nominal_one_on_average():
    """n (pi / 6) E d^3, the whole objects and the cut ones together."""
    contents = Contents(voids_per_m3=8e21, void_diameter_nm=14.0, void_log_sd=0.2)
    percent = [
        measured(s, contents)[2].regions["void"].volume_fraction_percent
        for s in range(25)
    ]
    cube_nm3 = 14.0**3 * math.exp(3 * 0.2**2)
    expected = 100 * 8e-6 * math.pi / 6 * cube_nm3
    error = np.std(percent, ddof=1) / 5
    assert error < 0.07 * expected
    assert abs(np.mean(percent) - expected) < 3 * error


def test_projected_length_of_the_annotation_gives_the_density():
    """(4 / pi) l / (A t), with l measured on the pixels: area over width."""
    contents = Contents(dislocation_density_per_m2=1e14)
    ratio = []
    for seed in range(40):
        _, canvas, truth = measured(seed, contents)
        area_nm2 = np.count_nonzero(canvas.class_map)
        ratio.append((area_nm2 / canvas.line_width_nm, truth.lines.projected_length_nm))
    seen, projected = np.sum(ratio, axis=0)
    assert seen == pytest.approx(projected, rel=0.1)  # round ends, overlaps
