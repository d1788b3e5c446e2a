import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.palette import class_colors
from defectkeras.training.details import ShownField
from defectkeras.training.log_budget import PANEL_SIZE_PX
from defectkeras.training.panel import (
    ERROR_COLORS,
    PICTURE_PX,
    color_classes,
    color_errors,
    draw_panel,
    error_map,
    shrink,
)


def test_colors_lie_over_the_micrograph(scheme):
    image = np.full((30, 40), 0.5, np.float32)
    class_map = np.zeros((30, 40), np.int32)
    class_map[5:10, 6:12], class_map[5:10, 20:30] = 1, 2
    class_map[20:, :] = NOT_ANNOTATED
    colors = class_colors(scheme)
    picture = color_classes(image, class_map, scheme)
    assert (picture.shape, picture.dtype) == ((30, 40, 3), np.uint8)
    assert (picture[:5] == 128).all()
    np.testing.assert_allclose(picture[7, 8], (128.0 + np.array(colors[1])) / 2, atol=1)
    np.testing.assert_allclose(
        picture[7, 25], (128.0 + np.array(colors[2])) / 2, atol=1
    )
    assert (picture[25] < 128).all()  # not annotated is darker


def test_errors_are_told_apart():
    truth = np.array([[0, 0, 1, 1, 1, NOT_ANNOTATED]], np.int32)
    found = np.array([[0, 1, 0, 1, 2, 1]], np.int32)
    errors = error_map(truth, found)
    assert errors.tolist() == [[0, 2, 1, 0, 3, NOT_ANNOTATED]]
    picture = color_errors(np.zeros((1, 6), np.float32), errors).astype(int)
    assert (picture[0, [0, 3]] == 0).all()
    expected = 0.9 * ERROR_COLORS[[1, 0, 2]]
    np.testing.assert_allclose(picture[0, [1, 2, 4]], expected, atol=1)


@pytest.mark.parametrize("shape", [(700, 1030), (1030, 700), (20, 3000)])
def test_thin_lines_survive_the_shrinking(shape):
    picture = np.zeros(shape, np.uint8)
    picture[:, shape[1] // 2 + 1] = 250  # one pixel wide, missed by every n-th
    small = shrink(picture)
    assert max(small.shape) == PICTURE_PX
    assert small.max() > 20
    assert shrink(small) is small


@pytest.mark.parametrize("shape", [(90, 130), (40, 400), (3, 5)])
def test_panel_has_its_size_whatever_the_field(scheme, shape):
    rng = np.random.default_rng(0)
    field = ShownField(
        "field",
        rng.uniform(size=shape).astype(np.float32),
        rng.integers(-1, 3, shape).astype(np.int32),
        rng.integers(0, 3, shape).astype(np.int32),
        rng.uniform(size=shape).astype(np.float32),
    )
    panel = draw_panel(field, scheme)
    assert (panel.shape, panel.dtype) == ((*PANEL_SIZE_PX, 3), np.uint8)
    legend = panel[350:, 710:].reshape(-1, 3)
    for color in (*class_colors(scheme).values(), *ERROR_COLORS):
        assert (legend == color).all(axis=-1).any()
