import numpy as np

from defectkeras.training.figure import new_figure, to_pixels


def test_figure_has_the_size_that_was_asked_for():
    figure = new_figure((120, 250))
    figure.patch.set_facecolor("#123456")
    pixels = to_pixels(figure)
    assert (pixels.shape, pixels.dtype) == ((120, 250, 3), np.uint8)
    assert (pixels == (0x12, 0x34, 0x56)).all()
