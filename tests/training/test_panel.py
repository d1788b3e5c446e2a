import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.training.panel import COLORS, GAP_PX, PANEL_PX, draw_panel


def test_three_pictures_side_by_side():
    image = np.full((30, 40), 0.5, np.float32)
    annotation, prediction = np.zeros((2, 30, 40), np.int32)
    annotation[5:10, 6:12] = 1
    annotation[20:, :] = NOT_ANNOTATED
    prediction[5:10, 20:30] = 2
    panel = draw_panel(image, annotation, prediction)
    assert (panel.shape, panel.dtype) == ((30, 3 * 40 + 2 * GAP_PX, 3), np.uint8)
    first, second, third = (panel[:, k * (40 + GAP_PX) :][:, :40] for k in range(3))
    assert (first == 128).all()
    assert (second[:5] == 128).all()
    np.testing.assert_allclose(second[7, 8], (127.5 + COLORS[0]) / 2, atol=1)
    np.testing.assert_allclose(third[7, 25], (127.5 + COLORS[1]) / 2, atol=1)
    assert (second[25] < 128).all()  # not annotated is darker
    assert (third[25] == 128).all()


def test_large_fields_are_made_smaller():
    image = np.zeros((700, 1030), np.float32)
    class_map = np.zeros((700, 1030), np.int32)
    panel = draw_panel(image, class_map, class_map)
    assert panel.shape[0] <= PANEL_PX
    assert panel.shape[1] <= 3 * PANEL_PX + 2 * GAP_PX
