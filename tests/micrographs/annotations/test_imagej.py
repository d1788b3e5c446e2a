import zipfile

import numpy as np
import pytest
from roifile import ROI_OPTIONS, ROI_SUBTYPE, ROI_TYPE, ImagejRoi, roiread

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.annotations.imagej import read_imagej, write_imagej
from defectkeras.micrographs.annotations.rasterize import draw_maps, rasterize
from defectkeras.micrographs.annotations.shapes import Drawing, Line, Shape

SIZE = (60, 80)


def roi_file(path, kind, points=None, name="void-1", **attributes):
    roi = ImagejRoi() if points is None else ImagejRoi.frompoints(np.array(points))
    roi.roitype, roi.name = kind, name
    for key, value in attributes.items():
        setattr(roi, key, value)
    roi.tofile(path)
    return path


def pixels(path, scheme, **how):
    return rasterize(read_imagej(path, size=SIZE, **how), scheme).class_map


def test_maps_come_back(tmp_path, scheme, class_map, label_map):
    path = tmp_path / "a.zip"
    write_imagej(draw_maps(class_map, scheme, label_map=label_map), path)
    maps = rasterize(read_imagej(path, size=class_map.shape), scheme)

    np.testing.assert_array_equal(maps.class_map, class_map)
    assert len(np.unique(maps.label_map)) == 7
    kinds = [roi.roitype for roi in roiread(path)]
    assert kinds.count(ROI_TYPE.TRACED) == 5
    assert [roi.composite for roi in roiread(path)].count(True) == 2


def test_the_same_drawing_gives_the_same_bytes(tmp_path, scheme, class_map):
    for name in ("a.zip", "b.zip"):
        write_imagej(draw_maps(class_map, scheme), tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_areas_count_from_the_corner(tmp_path, scheme):
    square = [[10, 20], [30, 20], [30, 26], [10, 26]]
    path = roi_file(tmp_path / "a.roi", ROI_TYPE.POLYGON, square)

    rows, columns = np.nonzero(pixels(path, scheme))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 25, 10, 29)


def test_lines_count_from_the_center_and_have_a_stroke(tmp_path, scheme):
    path = roi_file(
        tmp_path / "a.roi",
        ROI_TYPE.LINE,
        x1=10,
        y1=20,
        x2=40,
        y2=20,
        stroke_width=5,
        name="phase-1",
        props="class: phase-1\n",
    )
    drawing = read_imagej(path, size=SIZE)

    assert drawing.drawn_length_px("phase-1") == 30
    rows, columns = np.nonzero(rasterize(drawing, scheme).class_map)
    assert (rows.min(), rows.max()) == (18, 22)  # five rows around the middle of 20
    assert (columns.min() + columns.max()) / 2 == 25


def test_a_line_without_a_stroke_needs_a_width(tmp_path, scheme):
    path = roi_file(tmp_path / "a.roi", ROI_TYPE.POLYLINE, [[5, 5], [40, 5], [40, 30]])

    with pytest.raises(MicrographError, match="--line-width-px"):
        read_imagej(path, size=SIZE)
    found = pixels(path, scheme, line_width_px=3)
    assert np.count_nonzero(found) == pytest.approx(60 * 3 + 7, rel=0.05)


def test_ovals_are_ellipses(tmp_path, scheme):
    box = {"left": 10, "right": 50, "top": 20, "bottom": 44}
    path = roi_file(tmp_path / "a.roi", ROI_TYPE.OVAL, **box)

    found = pixels(path, scheme)
    rows, columns = np.ogrid[0.5:60, 0.5:80]
    ellipse = ((rows - 32) / 12) ** 2 + ((columns - 30) / 20) ** 2 <= 1
    assert np.count_nonzero((found > 0) != ellipse) <= 8
    assert np.argwhere(found).mean(axis=0) + 0.5 == pytest.approx([32, 30], abs=0.05)


def test_rectangles_and_freehand_with_parts_of_pixels(tmp_path, scheme):
    box = {"left": 10, "right": 15, "top": 20, "bottom": 24}
    path = roi_file(tmp_path / "a.roi", ROI_TYPE.RECT, **box)
    assert np.count_nonzero(pixels(path, scheme)) == 20

    ring = [[10.4, 20.6], [30.4, 20.6], [30.4, 25.6], [10.4, 25.6]]
    path = roi_file(tmp_path / "b.roi", ROI_TYPE.FREEHAND, ring)
    rows, columns = np.nonzero(pixels(path, scheme))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (21, 25, 10, 29)


def test_lines_come_back(tmp_path):
    line = Line(np.array([[1.5, 2.0], [8.0, 30.25], [9.0, 31.0]]), 3.5)
    write_imagej(Drawing(SIZE, (Shape("a", line),)), tmp_path / "a.zip")
    (read,) = read_imagej(tmp_path / "a.zip", size=SIZE).shapes

    np.testing.assert_allclose(read.geometry.points, line.points)
    assert read.geometry.width_px == 3.5


def test_one_class_may_be_given_for_all(tmp_path):
    ring = [[1, 2], [9, 2], [9, 9]]
    path = roi_file(tmp_path / "a.roi", ROI_TYPE.POLYGON, ring, name="0012-0034")

    with pytest.raises(MicrographError, match="must begin with its class"):
        read_imagej(path, size=SIZE)
    read = read_imagej(path, size=SIZE, class_name="void")
    assert read.class_names == ("void",)


def test_regions_of_several_images_of_a_stack_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for place in (0, 3, 3):  # 0 is on all images
            roi = roi_file(
                tmp_path / "a.roi",
                ROI_TYPE.RECT,
                left=1,
                top=2,
                right=9,
                bottom=8,
                position=place,
            )
            archive.writestr(f"{len(archive.namelist())}.roi", roi.read_bytes())
    assert len(read_imagej(path, size=SIZE).shapes) == 3
    roi_file(tmp_path / "a.roi", ROI_TYPE.RECT, right=9, bottom=8, position=4)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("4.roi", (tmp_path / "a.roi").read_bytes())
    with pytest.raises(MicrographError, match="2 images of a stack"):
        read_imagej(path, size=SIZE)


@pytest.mark.parametrize("kind", [ROI_TYPE.POINT, ROI_TYPE.ANGLE, ROI_TYPE.NOROI])
def test_what_has_no_pixels_is_an_error(tmp_path, kind):
    path = roi_file(tmp_path / "a.roi", kind, [[1, 2], [9, 2], [9, 9]])

    with pytest.raises(MicrographError, match="area or a line"):
        read_imagej(path, size=SIZE)


def test_text_is_an_error(tmp_path):
    path = roi_file(
        tmp_path / "a.roi",
        ROI_TYPE.RECT,
        subtype=ROI_SUBTYPE.TEXT,
        options=ROI_OPTIONS.NONE,
        right=9,
        bottom=9,
    )
    with pytest.raises(MicrographError, match="text"):
        read_imagej(path, size=SIZE)


def test_a_set_without_regions_is_an_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")

    with pytest.raises(MicrographError, match="must hold regions"):
        read_imagej(tmp_path / "a.zip", size=SIZE)
