import json

import numpy as np
import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.annotations.labelme import read_labelme, write_labelme
from defectkeras.micrographs.annotations.rasterize import draw_maps, rasterize
from defectkeras.micrographs.annotations.shapes import Area, Drawing, Line, Shape


def content(*shapes, height=60, width=80):
    return {"shapes": list(shapes), "imageHeight": height, "imageWidth": width}


def entry(kind, points, label="void", **more):
    return {"label": label, "points": points, "shape_type": kind} | more


def pixels(shape, scheme, **how):
    return rasterize(read_labelme(content(shape), **how), scheme).class_map


def test_maps_come_back(tmp_path, scheme, class_map, label_map):
    path = tmp_path / "a.json"
    write_labelme(
        draw_maps(class_map, scheme, label_map=label_map), path, image_name="a.tif"
    )
    written = json.loads(path.read_text())
    maps = rasterize(read_labelme(written), scheme)

    np.testing.assert_array_equal(maps.class_map, class_map)
    assert len(np.unique(maps.label_map)) == 7
    assert written["imagePath"] == "a.tif"
    kinds = [s["shape_type"] for s in written["shapes"]]
    assert (kinds.count("mask"), kinds.count("polygon")) == (2, 5)  # hole, two parts


def test_x_comes_before_y(scheme):
    found = pixels(entry("rectangle", [[10, 5], [30, 8]]), scheme)

    rows, columns = np.nonzero(found)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 7, 10, 29)


def test_a_circle_is_a_disc(scheme):
    found = pixels(entry("circle", [[40, 30], [40, 50]]), scheme)

    rows, columns = np.ogrid[0.5:60, 0.5:80]
    disc = (rows - 30) ** 2 + (columns - 40) ** 2 <= 20**2
    assert np.count_nonzero((found > 0) != disc) <= 8
    assert np.argwhere(found).mean(axis=0) + 0.5 == pytest.approx([30, 40], abs=0.05)


def test_lines_keep_their_length_and_get_the_width_that_is_given(scheme):
    strip = entry("linestrip", [[5, 5], [35, 45], [75, 45]], label="phase-1")
    drawing = read_labelme(content(strip), line_width_px=4)

    assert drawing.drawn_length_px("phase-1") == pytest.approx(90)
    assert np.count_nonzero(rasterize(drawing, scheme).class_map) == pytest.approx(
        90 * 4 + 12, rel=0.04
    )
    with pytest.raises(MicrographError, match="--line-width-px"):
        read_labelme(content(strip))


def test_shapes_of_a_group_are_one_object(scheme):
    parts = [
        entry("rectangle", [[x, 4], [x + 12, 14]], group_id=3) for x in (5, 10, 40)
    ]
    other = entry("rectangle", [[60, 30], [70, 40]], group_id=4)
    maps = rasterize(read_labelme(content(parts[0], other, *parts[1:])), scheme)

    areas = np.bincount(maps.label_map.ravel())[1:].tolist()
    assert areas == [170 + 120, 100]  # where parts overlap they count once


def test_lines_come_back_as_lines(tmp_path):
    line = Line(np.array([[1.5, 2.0], [8.0, 30.25]]), 3.0)
    write_labelme(
        Drawing((20, 40), (Shape("a", line),)), tmp_path / "a.json", image_name="a.png"
    )
    read = read_labelme(json.loads((tmp_path / "a.json").read_text()), line_width_px=3)

    np.testing.assert_array_equal(read.shapes[0].geometry.points, line.points)


@pytest.mark.parametrize("kind", ["rectangle", "rotation", "oriented_rectangle"])
def test_a_rectangle_may_have_all_its_corners(scheme, kind):
    """X-AnyLabeling writes four, and labelme does where it is turned."""
    drawn = entry(kind, [[10, 10], [30, 10], [30, 20], [10, 20]])
    drawing = read_labelme(content(drawn | {"label": " void "}))
    assert np.count_nonzero(rasterize(drawing, scheme).class_map == 2) == 200


def test_a_polygon_without_a_kind_is_one():
    read = read_labelme(content({"label": "a", "points": [[0, 0], [9, 0], [9, 9]]}))
    assert isinstance(read.shapes[0].geometry, Area)


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        (entry("polygon", [[1, 2], [3, 4]]), "3 points"),
        (entry("circle", [[1, 2]]), "2 points"),
        (entry("polygon", [[1, float("nan")], [3, 4], [5, 6]]), "finite"),
        (entry("polygon", "abc"), "pairs"),
        (entry("polygon", None), "pairs"),
        (entry("poligon", [[1, 2]]), "Did you mean 'polygon'"),
        (entry("point", [[1, 2]]), "Draw its outline"),
        (entry("rotation", [[1, 2], [3, 4]]), "3 points"),
        (entry("polygon", [[1, 2]]) | {"label": " "}, "must have a label"),
        (entry("mask", [[1, 2], [3, 4]], mask="!"), "PNG as base64"),
        (entry("mask", [[1, 2], [3, 4]]), "PNG as base64"),
        ({"points": [[1, 2]]}, "must have a label"),
        ("void", "must have a label"),
    ],
)
def test_what_is_no_shape_is_an_error_that_names_it(shape, what):
    with pytest.raises(MicrographError, match=what) as error:
        read_labelme(content(entry("rectangle", [[0, 0], [1, 1]]), shape))
    assert "shape 2" in str(error.value)


@pytest.mark.parametrize("size", [{"height": 0}, {"width": "80"}, {"height": 10**6}])
def test_a_size_that_is_none_is_an_error(size):
    with pytest.raises(MicrographError):
        read_labelme(content(**({"height": 600, "width": 10**6} | size)))
