import numpy as np
import pytest

from defectkeras.datasets.line_widths import line_widths_px


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("turned", [False, True])
def test_widths_are_right_to_half_a_pixel(width, turned):
    mask = np.zeros((40, 90), bool)
    mask[10 : 10 + width, 5:80] = True
    widths = line_widths_px(mask.T if turned else mask)
    assert abs(np.median(widths) - width) <= 0.51


def test_line_at_the_border_is_no_wider():
    mask = np.zeros((20, 50), bool)
    mask[:3] = True
    assert np.median(line_widths_px(mask)) == 3.5
