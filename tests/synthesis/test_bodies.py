"""Bodies against formulas, and against points thrown into them."""

import math

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from defectkeras.synthesis.bodies import (
    Body,
    draw_rotation,
    make_cuboid,
    make_ellipsoid,
    make_faceted,
)
from defectkeras.synthesis.lines import Box


def bodies(seed=3):
    rng = np.random.default_rng(seed)
    rotation = draw_rotation(rng)
    return {
        "sphere": make_ellipsoid(20.0, 0.0, rng),
        "ellipsoid": make_ellipsoid(20.0, 0.4, rng),
        "cuboid": make_cuboid(20.0, 0.2, rotation, rng),
        "faceted": make_faceted(20.0, rotation, rng),
    }


def holds(body, points):
    """Say which points lie in a body, from the definition."""
    inner = (points - body.center_nm) @ body.rotation / body.half_axes_nm
    round_part = np.sum(inner**2, axis=1) <= 1
    return round_part & np.all(abs(inner @ body.faces.T) <= 1, axis=1)


@pytest.mark.parametrize("name", bodies())
def test_volume_diameter_is_as_asked(name):
    body = bodies()[name]
    volume_nm3 = body.measure(None)[1]
    assert volume_nm3 == pytest.approx(math.pi / 6 * 20**3, rel=4e-3)


@pytest.mark.parametrize("name", bodies())
def test_cut_volume_against_random_points(name):
    body = bodies()[name].moved_to([4.0, 31.0, 3.0])
    box = Box(np.zeros(3), np.array([40.0, 35.0, 9.0]))  # cuts on three sides
    rng = np.random.default_rng(1)
    points = box.low_nm + rng.uniform(size=(400_000, 3)) * box.high_nm
    expected = holds(body, points).mean() * box.volume_nm3
    assert body.measure(box)[1] == pytest.approx(expected, rel=0.015)
    assert not body.is_inside(box)


@pytest.mark.parametrize("name", bodies())
def test_depths_are_the_ends_of_the_inside(name):
    body = bodies()[name].moved_to([5.0, 7.0, 50.0])
    row, column = np.array([[2.0], [5.5], [9.0]]), np.array([[3.0, 7.5]])
    enter, leave = body.depths(row, column)
    depth = np.linspace(30, 70, 40_001)
    for i in range(3):
        for j in range(2):
            ray = np.stack(
                [
                    np.full_like(depth, row[i, 0]),
                    np.full_like(depth, column[0, j]),
                    depth,
                ],
                axis=1,
            )
            inside = depth[holds(body, ray)]
            assert len(inside) > 0
            assert enter[i, j] == pytest.approx(inside[0], abs=2e-3)
            assert leave[i, j] == pytest.approx(inside[-1], abs=2e-3)


def test_a_ray_beside_the_body_misses(rng):
    sphere = make_ellipsoid(10.0, 0.0, rng)
    enter, leave = sphere.depths(np.array([[5.1]]), np.array([[0.0]]))
    assert leave[0, 0] <= enter[0, 0]


@pytest.mark.parametrize("height_nm", [2.0, 10.0, 17.0])
def test_cap_of_a_sphere(height_nm, rng):
    radius_nm = 10.0
    sphere = make_ellipsoid(2 * radius_nm, 0.0, rng)
    sphere = sphere.moved_to([50.0, 60.0, height_nm - radius_nm])
    box = Box(np.zeros(3), np.array([100.0, 120.0, 80.0]))
    expected = math.pi * height_nm**2 * (3 * radius_nm - height_nm) / 3
    assert sphere.measure(box)[1] == pytest.approx(expected, rel=5e-3)


def test_quarter_of_a_sphere_at_a_corner_of_the_field(rng):
    sphere = make_ellipsoid(20.0, 0.0, rng).moved_to([0.0, 0.0, 40.0])
    box = Box(np.zeros(3), np.array([100.0, 120.0, 80.0]))
    area_nm2, volume_nm3 = sphere.measure(box)
    assert volume_nm3 == pytest.approx(math.pi / 6 * 20**3 / 4, rel=3e-3)
    assert area_nm2 == pytest.approx(math.pi * 100 / 4, rel=1e-2)


def test_projection_of_an_ellipsoid_seen_along_its_axis():
    body = Body(np.zeros(3), np.array([4.0, 9.0, 30.0]), np.eye(3), np.zeros((0, 3)))
    assert body.projected_diameter_nm() == pytest.approx(2 * math.sqrt(36))
    assert body.volume_diameter_nm() == pytest.approx(2 * (4 * 9 * 30) ** (1 / 3))
    np.testing.assert_allclose(body.half_extent_nm, [4, 9, 30])


@pytest.mark.parametrize("name", bodies())
def test_projected_diameter_against_the_shadow_of_points(name, rng):
    body = bodies()[name]
    points = rng.uniform(-1, 1, (400_000, 3)) * body.half_extent_nm
    shadow = ConvexHull(points[holds(body, points)][:, :2])
    expected = 2 * math.sqrt(shadow.volume / math.pi)  # of a plane hull: its area
    assert body.projected_diameter_nm() == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize("name", bodies())
def test_mean_shadow_is_no_smaller_than_that_of_a_sphere(name):
    # Cauchy: over all directions it is a quarter of the surface of a convex body.
    diameters = [bodies(seed)[name].projected_diameter_nm() for seed in range(100)]
    assert np.mean(np.square(diameters)) >= 0.995 * 20.0**2


def test_far_body_has_no_volume_in_a_box(rng):
    box = Box(np.zeros(3), np.array([10.0, 20.0, 30.0]))
    assert make_ellipsoid(5.0, 0.0, rng).moved_to([50, 5, 5]).measure(box) == (0, 0)


def test_rotations_are_uniform():
    rng = np.random.default_rng(0)
    rotations = np.array([draw_rotation(rng) for _ in range(4000)])
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1),
        np.broadcast_to(np.eye(3), rotations.shape),
        atol=1e-12,
    )
    assert abs(rotations.mean(axis=0)).max() < 0.05
    np.testing.assert_allclose((rotations**2).mean(axis=0), 1 / 3, atol=0.02)
