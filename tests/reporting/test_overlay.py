import numpy as np
import pytest
from PIL import Image as PillowImage

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.palette import class_colors
from defectkeras.reporting.overlay import (
    draw_overlay,
    legend_entries,
    paint_classes,
    write_png,
)

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
    )
)


def field(height=400, width=640, level=0.5):
    image = np.full((height, width), level, dtype=np.float32)
    class_map = np.zeros((height, width), dtype=np.int32)
    class_map[200:240, 300:380] = 2
    class_map[300:303, 10:600] = 1
    return image, class_map


def longest_white_run(picture):
    """Of the runs with something darker at both ends, so never of the ground."""
    white = (picture == 255).all(axis=-1)
    best = 0
    for row in white:
        edges = np.flatnonzero(np.diff(row.astype(int)))
        if row[0]:
            edges = edges[1:]
        lengths = np.diff(edges[: len(edges) // 2 * 2])[::2]
        best = max([best, *lengths])
    return best


def test_classes_are_painted_where_they_are():
    image, class_map = field()
    picture = paint_classes(image, class_map, SCHEME)
    colors = class_colors(SCHEME)
    assert picture.shape == (400, 640, 3)
    assert picture.dtype == np.uint8
    assert tuple(picture[50, 50]) == (128, 128, 128)
    assert tuple(picture[200, 340]) == colors[2]  # outline
    filled = np.rint(0.75 * 127.5 + 0.25 * np.array(colors[2]))
    np.testing.assert_allclose(picture[220, 340], filled, atol=1)
    line = np.rint(0.15 * 127.5 + 0.85 * np.array(colors[1]))
    np.testing.assert_allclose(picture[301, 100], line, atol=1)


def test_an_empty_class_map_leaves_the_micrograph_alone():
    image = np.linspace(0, 1, 60 * 90, dtype=np.float32).reshape(60, 90)
    picture = paint_classes(image, np.zeros((60, 90), dtype=np.int32), SCHEME)
    expected = np.rint(image * 255).astype(np.uint8)
    np.testing.assert_array_equal(picture, np.dstack([expected] * 3))


def test_what_is_not_annotated_is_veiled_and_in_the_legend():
    image, class_map = field(level=0.0)
    class_map[:, :20] = -1
    picture = paint_classes(image, class_map, SCHEME)
    assert tuple(picture[5, 5]) == (72, 72, 72)
    names = [name for name, _ in legend_entries(class_map, SCHEME)]
    assert names == ["dislocation", "void", "not annotated"]


def test_the_legend_has_only_classes_that_occur():
    _, class_map = field()
    class_map[class_map == 1] = 0
    assert legend_entries(class_map, SCHEME) == [("void", class_colors(SCHEME)[2])]


@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize(
    ("calibration", "length_px"),
    [(Calibration(pixel_size_nm=0.8), 125), (Calibration(), 100)],
)
def test_the_scale_bar_has_the_right_length_on_dark_and_bright(
    level, calibration, length_px
):
    """640 px of 0.8 nm: the bar is 100 nm, which is 125 px."""
    image, class_map = field(level=level)
    picture = draw_overlay(image, 0 * class_map, SCHEME, calibration=calibration)
    assert picture.shape == (400, 640, 3)
    assert (picture[330:395, :200].max(axis=-1) < 110).sum() > 2000  # the plate
    assert longest_white_run(picture[330:395, :300]) == length_px


def test_a_tiny_picture_goes_without_legend_and_bar():
    image = np.full((20, 33), 0.25, dtype=np.float32)
    class_map = np.zeros((20, 33), dtype=np.int32)
    picture = draw_overlay(image, class_map, SCHEME, calibration=Calibration())
    assert (picture == 64).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (2000, 3)])
def test_any_shape_is_drawn(shape):
    image = np.zeros(shape, dtype=np.float32)
    class_map = np.ones(shape, dtype=np.int32)
    picture = draw_overlay(
        image, class_map, SCHEME, calibration=Calibration(pixel_size_nm=3.0)
    )
    assert picture.shape == (*shape, 3)


def test_shapes_must_agree():
    image, class_map = field()
    with pytest.raises(ValueError, match="must have one shape"):
        paint_classes(image[1:], class_map, SCHEME)


def test_png_holds_the_pixels(tmp_path):
    image, class_map = field()
    picture = draw_overlay(image, class_map, SCHEME, calibration=Calibration())
    write_png(picture, tmp_path / "out" / "overlay.png")
    back = np.asarray(PillowImage.open(tmp_path / "out" / "overlay.png"))
    np.testing.assert_array_equal(back, picture)
