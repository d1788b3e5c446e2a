import numpy as np
import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import check_plane, choose_frame, to_floats, to_grey
from defectkeras.micrographs.frame import Frame

GREY = np.arange(6, dtype=np.uint16).reshape(2, 3)


def test_a_single_frame_needs_no_number():
    assert choose_frame(1, None) == 0
    assert choose_frame(1, 0) == 0


@pytest.mark.parametrize(("count", "frame"), [(0, None), (3, None), (3, 3), (3, -1)])
def test_a_frame_that_is_not_there_is_refused(count, frame):
    with pytest.raises(MicrographError, match="Received"):
        choose_frame(count, frame)


def test_message_names_the_frames():
    with pytest.raises(MicrographError, match=r"0 HAADF, 1 BF.*from 0 to 1"):
        choose_frame(2, None, names=["HAADF", "BF"])


def test_message_does_not_name_a_thousand_frames():
    with pytest.raises(MicrographError) as caught:
        choose_frame(1000, None, names=["BF"] * 1000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("shape", "dtype", "what"),
    [
        ((7,), "f4", "rows and columns"),
        ((2, 3, 4, 5), "f4", "rows and columns"),
        ((0, 7), "f4", "at least one pixel"),
        ((7, -1), "f4", "at least one pixel"),
        ((10, 11), "f4", "at most 100 pixels"),
        ((2, 3), "c8", "complex"),
        ((2, 3), [("real", "f4"), ("imag", "f4")], "complex"),
        ((2, 3), "S4", "numbers"),
    ],
)
def test_what_is_no_image_is_refused(shape, dtype, what):
    with pytest.raises(MicrographError, match=what):
        check_plane(shape, np.dtype(dtype), 100)


@pytest.mark.parametrize("channels", [1, 3])
def test_equal_channels_are_grey(channels):
    frame = Frame(np.stack([GREY] * channels, axis=-1))

    np.testing.assert_array_equal(to_grey(frame), GREY)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_constant_alpha_is_dropped(channels):
    pixels = np.stack([GREY] * channels + [np.full_like(GREY, 9)], axis=-1)

    np.testing.assert_array_equal(to_grey(Frame(pixels)), GREY)


def test_transparent_parts_are_refused():
    with pytest.raises(MicrographError, match="opaque"):
        to_grey(Frame(np.stack([GREY, GREY], axis=-1)))


@pytest.mark.parametrize("channels", [3, 5])
def test_color_is_refused(channels):
    pixels = np.arange(6 * channels).reshape(2, 3, channels)

    with pytest.raises(MicrographError, match="color"):
        to_grey(Frame(pixels))


def test_a_grey_palette_is_looked_up():
    palette = np.array([[0, 0, 0], [50, 50, 50], [7, 7, 7]])

    grey = to_grey(Frame(np.array([[0, 1, 2, 1]]), palette=palette))

    np.testing.assert_array_equal(grey, [[0, 50, 7, 50]])


def test_only_the_colors_in_use_must_be_grey():
    palette = np.array([[0, 0, 0], [50, 50, 50], [255, 0, 0]])

    to_grey(Frame(np.array([[0, 1]]), palette=palette))
    with pytest.raises(MicrographError, match="color"):
        to_grey(Frame(np.array([[0, 2]]), palette=palette))


def test_an_index_without_a_color_is_refused():
    with pytest.raises(MicrographError, match="palette of 2"):
        to_grey(Frame(np.array([[0, 2]]), palette=np.zeros((2, 3))))


def test_floats_are_not_copied():
    pixels = np.ones((2, 3), np.float32)

    assert to_floats(pixels) is pixels


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_not_finite_are_counted(value):
    pixels = np.ones((2, 3))
    pixels[1, 1:] = value

    with pytest.raises(MicrographError, match="2 pixels"):
        to_floats(pixels)
