import numpy as np

from defectkeras.synthesis.contents import Contents
from defectkeras.synthesis.drawing import Grid
from defectkeras.synthesis.scene import draw_scene

GRID = Grid((120, 200), 0.5)
CONTENTS = Contents(dislocation_density_per_m2=3e15, voids_per_m3=2e22)


def scene(seed=0, contents=CONTENTS):
    return draw_scene(seed, contents, GRID, foil_thickness_nm=70.0, rim_nm=20.0)


def test_foil_lies_under_the_field():
    np.testing.assert_allclose(scene().foil.high_nm, [60, 100, 70])


def test_lines_lie_in_the_foil_and_reach_beyond_the_field():
    lines = scene().lines
    assert len(lines) > 5
    points = np.concatenate(lines)
    assert points[:, 2].min() >= 0
    assert points[:, 2].max() <= 70
    assert points[:, 1].max() > 100


def test_points_are_closer_than_a_pixel():
    for line in scene().lines:
        assert np.linalg.norm(np.diff(line, axis=0), axis=1).max() < 1.0


def test_contents_are_independent_of_each_other():
    """Without voids the lines are the same, and the other way round."""
    both = scene()
    lines = scene(contents=Contents(dislocation_density_per_m2=3e15))
    voids = scene(contents=Contents(voids_per_m3=2e22))
    assert lines.inclusions == []
    assert voids.lines == []
    np.testing.assert_array_equal(both.lines[0], lines.lines[0])
    np.testing.assert_array_equal(
        both.inclusions[0].shape.center_nm, voids.inclusions[0].shape.center_nm
    )


def test_gap_is_at_least_three_pixels():
    inclusions = scene().inclusions
    places = np.array([i.shape.center_nm[:2] for i in inclusions])
    radii = np.array([i.diameter_nm / 2 for i in inclusions])
    room = np.linalg.norm(places[:, None] - places, axis=2) - radii[:, None] - radii
    np.fill_diagonal(room, np.inf)
    assert room.min() >= 3 * 0.5
