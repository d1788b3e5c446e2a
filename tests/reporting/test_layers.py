import numpy as np
import pytest

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.reporting.layers import (
    class_opacity,
    drawing_order,
    outline_width_px,
    shrink_class_map,
)


def disc(height, width, radius):
    rows, columns = np.mgrid[0:height, 0:width]
    return np.hypot(rows - height / 2, columns - width / 2) < radius


def test_a_region_is_lightly_filled_and_strongly_outlined():
    mask = disc(80, 120, 30)
    opacity = class_opacity(mask, "region")
    assert opacity[40, 60] == 64
    assert opacity[40, 60 - 29 : 60 - 26].max() == 255
    np.testing.assert_array_equal(opacity > 0, mask)  # not one pixel more


def test_a_hole_is_outlined_too():
    mask = disc(80, 120, 30) & ~disc(80, 120, 10)
    opacity = class_opacity(mask, "region")
    assert opacity[40, 60] == 0
    assert opacity[40, 60 + 8 : 60 + 13].max() == 255


def test_a_line_has_no_outline():
    mask = np.zeros((40, 70), dtype=bool)
    mask[20:22] = True
    opacity = class_opacity(mask, "line")
    assert set(np.unique(opacity)) == {0, 217}
    np.testing.assert_array_equal(opacity > 0, mask)


def test_outlines_grow_with_the_picture():
    widths = [outline_width_px(s) for s in [(30, 40), (300, 500), (2048, 2000)]]
    assert widths == [1, 1, 2]
    assert outline_width_px((4096, 4000)) > 2


def test_lines_are_drawn_last():
    scheme = LabelScheme(
        (
            DefectClass(0, "matrix", "matrix"),
            DefectClass(1, "dislocation", "line"),
            DefectClass(2, "void", "region"),
        )
    )
    assert [c.name for c in drawing_order(scheme)] == ["void", "dislocation"]


@pytest.mark.parametrize("width", [2, 3])
def test_thin_lines_stay_whole_when_shrunk(width):
    class_map = np.zeros((300, 440), dtype=np.int32)
    for column in range(430):
        row = 20 + column // 2
        class_map[row : row + width, column] = 2
    shown = shrink_class_map(class_map, (150, 220))
    assert set(np.unique(shown)) == {0, 2}
    assert ((shown == 2).sum(axis=0)[:214] > 0).all()


def test_shrinking_keeps_the_place_and_about_the_area_of_regions():
    class_map = np.where(disc(300, 440, 60), 1, 0).astype(np.int32)
    class_map[:30] = -1
    shown = shrink_class_map(class_map, (100, 147))
    assert (shown[:10] == -1).all()
    rows, columns = np.nonzero(shown == 1)
    assert rows.mean() == pytest.approx(50, abs=1)
    assert columns.mean() == pytest.approx(73.5, abs=1)
    assert len(rows) == pytest.approx(np.pi * 20**2, rel=0.1)


def test_what_fits_stays_as_it_is():
    class_map = np.eye(3, 5, dtype=np.int32)
    assert shrink_class_map(class_map, (3, 5)) is class_map
