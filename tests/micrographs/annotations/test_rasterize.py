import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from defectkeras.core.errors import MicrographError
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.micrographs.annotations.rasterize import (
    draw_geometry,
    draw_maps,
    join_areas,
    rasterize,
)
from defectkeras.micrographs.annotations.rings import fill_rings
from defectkeras.micrographs.annotations.shapes import Area, Drawing, Line, Shape

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "void", "region"),
        DefectClass(2, "dislocation", "line"),
    )
)


def square(top, left, side, name="void"):
    corners = [(0, 0), (0, side), (side, side), (side, 0)]
    return Shape(name, Area((np.array(corners, float) + np.array([top, left]),)))


def test_later_shapes_lie_on_top_and_it_is_told():
    shapes = (square(1, 1, 3), square(0, 0, 6), square(4, 5, 3))
    maps = rasterize(Drawing((8, 10), shapes), SCHEME)

    assert np.unique(maps.label_map).tolist() == [0, 2, 3]
    assert (maps.overlapping, maps.hidden) == (2, 1)
    assert np.count_nonzero(maps.class_map == 1) == 36 + 9 - 2


@pytest.mark.parametrize("at", [(9, 2), (2, 30), (-5, 2), (2, -3)])
def test_a_shape_beside_the_micrograph_is_refused(at):
    drawing = Drawing((8, 10), (square(1, 1, 3), square(*at, 3)))

    with pytest.raises(MicrographError, match=r"on the micrograph.*shape 2, 'void'"):
        rasterize(drawing, SCHEME)


def test_a_line_beside_the_micrograph_counts_with_its_width():
    ends = np.array([[10.0, 1.0], [10.0, 9.0]])
    reaching, beside = (
        Drawing((8, 10), (Shape("dislocation", Line(ends, width_px)),))
        for width_px in (6.0, 3.0)
    )

    assert rasterize(reaching, SCHEME).class_map[7].any()
    with pytest.raises(MicrographError, match=r"rows 8\.5 to 11\.5"):
        rasterize(beside, SCHEME)


def test_touching_objects_stay_two():
    maps = rasterize(Drawing((6, 9), (square(1, 1, 3), square(1, 4, 3))), SCHEME)

    assert np.bincount(maps.label_map.ravel())[1:].tolist() == [9, 9]
    assert maps.overlapping == 0


def test_a_ring_in_a_ring_is_a_hole():
    outer, inner = (square(*at).geometry.rings[0] for at in ((0, 0, 6), (2, 2, 2)))
    drawing = Drawing((7, 8), (Shape("void", Area((outer, inner))),))

    assert np.count_nonzero(rasterize(drawing, SCHEME).class_map) == 36 - 4


@pytest.mark.parametrize("angle_deg", [0, 17, 45, 80])
@pytest.mark.parametrize("width_px", [3, 8.5])
def test_a_line_has_its_width_and_round_ends(angle_deg, width_px):
    angle = np.radians(angle_deg)
    ends = np.array(
        [[30.2, 20.7], [30.2 + 60 * np.sin(angle), 20.7 + 60 * np.cos(angle)]]
    )
    mask, (top, left) = draw_geometry(Line(ends, width_px), (110, 120))

    expected = 60 * width_px + np.pi * width_px**2 / 4
    assert mask.sum() == pytest.approx(expected, abs=0.6 * 60)  # half a row of pixels
    rows, columns = np.nonzero(mask)
    center = (rows.mean() + top + 0.5, columns.mean() + left + 0.5)
    assert center == pytest.approx(tuple(ends.mean(axis=0)), abs=0.3)


@pytest.mark.parametrize("width_px", [1.0, 0.2])
def test_a_thin_line_has_no_gap(width_px):
    ends = np.array([[1.3, 2.1], [20.9, 37.2]])
    mask, _ = draw_geometry(Line(ends, width_px), (24, 40))

    assert mask.any(axis=0)[1:-1].all()


@settings(max_examples=80, deadline=None)
@given(
    arrays(np.int32, (7, 9), elements=st.integers(-1, 2)),
    arrays(np.int32, (7, 9), elements=st.integers(1, 4)),
    st.booleans(),
)
def test_maps_come_back(class_map, numbers, with_numbers):
    label_map = np.where(class_map > 0, numbers + 10 * class_map, 0).astype(np.int32)
    drawing = draw_maps(
        class_map, SCHEME, label_map=label_map if with_numbers else None
    )
    maps = rasterize(drawing, SCHEME)

    np.testing.assert_array_equal(maps.class_map, class_map)
    assert maps.overlapping == 0
    if with_numbers:
        pairs = np.unique(np.stack([label_map, maps.label_map]).reshape(2, -1), axis=1)
        assert len(pairs[0]) == len(set(pairs[0])) == len(set(pairs[1]))


def test_joined_areas_are_their_union():
    square = np.array([[1, 1], [1, 4], [4, 4], [4, 1.0]])
    areas = [[square], [square + 2], [square + np.array([0, 5])]]
    masks = [fill_rings(rings, (7, 10)) for rings in areas]

    joined = fill_rings(join_areas(iter(areas), (7, 10)).rings, (7, 10))
    np.testing.assert_array_equal(joined, np.any(masks, axis=0))


@settings(max_examples=100, deadline=None)
@given(
    points=arrays(
        np.float64, st.tuples(st.integers(3, 6), st.just(2)), elements=st.floats(0, 2)
    ),
    at=st.tuples(st.floats(-1, 7), st.floats(-1, 9)),
    width_px=st.floats(0.01, 2) | st.none(),
)
def test_no_shape_is_lost_however_small(points, at, width_px):
    points = points + at
    geometry = Area((points,)) if width_px is None else Line(points, width_px)
    margin = 0 if width_px is None else width_px / 2
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    assume((high > 0).all() and (low < (8, 10)).all())
    maps = rasterize(Drawing((8, 10), (Shape("void", geometry),)), SCHEME)

    pixels = np.argwhere(maps.label_map == 1)
    assert len(pixels) >= 1
    assert maps.hidden == 0
    reach = 0.5 if width_px else 0.0  # a thin line is a pixel wide
    assert (pixels + 1 >= low - reach).all()
    assert (pixels <= high + reach).all()


def test_parts_of_an_object_are_not_lost_and_those_beside_are_cut_off():
    dot = square(0.6, 0.6, 0.2).geometry.rings
    areas = [[ring + shift for ring in dot] for shift in (1, 5, -4)]

    joined = fill_rings(join_areas([*areas, ()], (8, 10)).rings, (8, 10))
    assert np.argwhere(joined).tolist() == [[1, 1], [5, 5]]
    beside = Drawing((8, 10), (Shape("void", join_areas(areas[2:], (8, 10))),))
    with pytest.raises(MicrographError, match="must lie on the micrograph"):
        rasterize(beside, SCHEME)


def test_a_shape_without_pixels_is_refused():
    drawing = Drawing((8, 10), (square(1, 1, 3), Shape("void", Area(()))))
    with pytest.raises(MicrographError, match="shape 2, 'void', without any"):
        rasterize(drawing, SCHEME)


def test_other_classes_are_an_error_that_guesses():
    with pytest.raises(MicrographError, match="Did you mean 'void'"):
        rasterize(Drawing((8, 9), (square(0, 0, 2, "voids"),)), SCHEME)
