import numpy as np
import pytest

from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.palette import class_colors
from defectkeras.reporting.contact_sheet import CELL_PX, draw_contact_sheet

SCHEME = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "void", "region"))
)


def item(height, width, name="field"):
    image = np.full((height, width), 0.5, dtype=np.float32)
    class_map = np.zeros((height, width), dtype=np.int32)
    class_map[height // 3 : height // 2, width // 4 : width // 2] = 1
    return name, image, class_map


@pytest.mark.parametrize(
    ("count", "columns", "across"), [(1, 4, 1), (3, 4, 3), (9, 4, 4), (5, 2, 2)]
)
def test_the_sheet_holds_all_pictures(count, columns, across):
    sheet = draw_contact_sheet(
        (item(300 + 40 * i, 500) for i in range(count)), SCHEME, columns=columns
    )
    assert sheet.dtype == np.uint8
    assert across * CELL_PX < sheet.shape[1] < (across + 0.3) * CELL_PX
    voids = (sheet == class_colors(SCHEME)[1]).all(axis=-1)
    assert voids.sum() > count * 100  # outlines


@pytest.mark.parametrize("shape", [(5, 3), (1, 700), (2000, 1000)])
def test_pictures_of_any_size_fit(shape):
    sheet = draw_contact_sheet([item(*shape, name="a long name " * 20)], SCHEME)
    assert sheet.shape[1] < 1.2 * CELL_PX
    assert sheet.shape[0] < 1.4 * CELL_PX


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one micrograph"):
        draw_contact_sheet([], SCHEME)
