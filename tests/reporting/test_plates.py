import numpy as np
import pytest
from PIL import Image

from defectkeras.reporting.plates import (
    draw_legend,
    draw_scale_bar,
    load_font,
    text_size_px,
)
from defectkeras.reporting.scale_bar import ScaleBar


def contrast(picture):
    """The ratio of WCAG 2.1 between the brightest and the darkest grey."""
    linear = (picture.mean(axis=-1) / 255) ** 2.2
    return (linear.max() + 0.05) / (linear.min() + 0.05)


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_letters_stand_out_on_any_ground(ground):
    canvas = Image.new("RGB", (640, 480), (ground,) * 3)
    draw_scale_bar(canvas, ScaleBar(100, "200 nm"))
    draw_legend(canvas, [("dislocation", (213, 94, 0))])
    picture = np.asarray(canvas)
    assert contrast(picture[430:470, 10:110]) > 7
    assert contrast(picture[10:30, 30:110]) > 7


def test_the_font_has_all_the_letters_that_are_needed():
    font = load_font(24)
    missing = bytes(font.getmask("\ufffe"))
    for letter in "µ0123456789.nmpxöüéß…×":
        assert bytes(font.getmask(letter)) != missing


def test_letters_grow_with_the_picture():
    assert text_size_px((300, 200)) == 12
    assert text_size_px((4000, 4400)) == 100


def test_a_legend_of_nothing_draws_nothing():
    canvas = Image.new("RGB", (640, 480))
    draw_legend(canvas, [])
    assert not np.asarray(canvas).any()


def test_each_class_has_its_line():
    canvas = Image.new("RGB", (640, 480))
    colors = [(213, 94, 0), (86, 180, 233), (0, 158, 115)]
    draw_legend(canvas, [(f"class {i}", c) for i, c in enumerate(colors)])
    picture = np.asarray(canvas)
    tops = [np.argwhere((picture == c).all(axis=-1))[:, 0].min() for c in colors]
    assert tops == sorted(tops)
    assert np.diff(tops).min() >= text_size_px(canvas.size)
