import math

import numpy as np
import pytest
from scipy import stats

from defectkeras.core.errors import DatasetError
from defectkeras.synthesis.contents import LOOP, PRECIPITATE, VOID, Contents
from defectkeras.synthesis.lines import Box
from defectkeras.synthesis.population import draw_inclusions, place_apart

FOIL = Box(np.zeros(3), np.array([300.0, 420.0, 80.0]))
CONTENTS = Contents(
    precipitates_per_m3=1.5e21,
    precipitate_diameter_nm=22.0,
    precipitate_log_sd=0.25,
    precipitate_elongation=0.1,
    cuboid_fraction=0.3,
    voids_per_m3=5e21,
    void_diameter_nm=12.0,
    faceted_fraction=0.3,
    loops_per_m3=1e21,
    loop_diameter_nm=24.0,
)


@pytest.fixture(scope="module")
def foils():
    return [
        draw_inclusions(np.random.default_rng(seed), CONTENTS, FOIL, gap_nm=3.0)
        for seed in range(30)
    ]


def inside(inclusions, defect_class, foil=FOIL):
    return [
        i
        for i in inclusions
        if i.defect_class == defect_class
        and np.all(i.shape.center_nm >= foil.low_nm)
        and np.all(i.shape.center_nm < foil.high_nm)
    ]


@pytest.mark.parametrize(
    ("defect_class", "per_m3"), [(PRECIPITATE, 1.5e21), (VOID, 5e21), (LOOP, 1e21)]
)
def test_numbers_per_volume_are_the_nominal_ones(foils, defect_class, per_m3):
    counted = sum(len(inside(foil, defect_class)) for foil in foils)
    expected = per_m3 * 1e-27 * FOIL.volume_nm3 * len(foils)
    assert abs(counted - expected) < 3 * math.sqrt(expected)
    assert math.sqrt(expected) < 0.07 * expected


@pytest.mark.parametrize(
    ("defect_class", "mean_nm", "log_sd"),
    [(PRECIPITATE, 22.0, 0.25), (VOID, 12.0, 0.2), (LOOP, 24.0, 0.25)],
)
def test_diameters_are_log_normal(foils, defect_class, mean_nm, log_sd):
    sizes = [i.diameter_nm for foil in foils for i in inside(foil, defect_class)]
    assert np.mean(sizes) == pytest.approx(mean_nm, rel=0.03)
    assert np.std(np.log(sizes)) == pytest.approx(log_sd, rel=0.1)


def test_centers_are_uniform_in_foil_and_field(foils):
    voids = [i.shape.center_nm for foil in foils for i in inside(foil, VOID)]
    for axis, values in enumerate(np.transpose(voids)):
        result = stats.kstest(values / FOIL.high_nm[axis], "uniform")
        assert result.pvalue > 0.01


def test_objects_cut_by_the_surfaces_are_there(foils):
    """Visible objects are (t + d) / t times as many as centers in the foil."""
    flat = FOIL.grown((0.0, 0.0, 1e3))
    spheres = Contents(voids_per_m3=5e21, void_diameter_nm=20.0)
    visible = [
        len(
            inside(
                draw_inclusions(np.random.default_rng(s), spheres, FOIL, gap_nm=1.0),
                VOID,
                flat,
            )
        )
        for s in range(30)
    ]
    expected = 5e-6 * 300 * 420 * (80 + 20)
    assert np.mean(visible) == pytest.approx(expected, rel=0.05)


def test_no_two_overlap_in_projection(foils):
    for foil in foils[:5]:
        places = np.array([i.shape.center_nm[:2] for i in foil])
        radii = np.array([max(i.shape.half_extent_nm[:2]) for i in foil])
        apart = np.linalg.norm(places[:, None] - places, axis=2)
        room = apart - radii[:, None] - radii
        np.fill_diagonal(room, np.inf)
        assert room.min() >= 3.0


def test_places_are_apart_across_the_seam_of_the_torus():
    radii, sides = np.full(30, 5.0), np.array([60.0, 110.0])
    places = place_apart(np.random.default_rng(0), radii, sides, gap_nm=2.0)
    apart = abs(places[:, None] - places)
    apart = np.linalg.norm(np.minimum(apart, sides - apart), axis=2)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() >= 12.0


def test_no_room_is_told():
    with pytest.raises(DatasetError, match=r"must leave room.*Give fewer per volume"):
        place_apart(
            np.random.default_rng(0), np.full(99, 9.0), np.array([80.0, 90]), gap_nm=1
        )


def test_nothing_comes_from_nothing():
    assert draw_inclusions(np.random.default_rng(0), Contents(), FOIL, gap_nm=1) == []
