import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.annotations.colors import (
    count_colors,
    holds_colors,
    read_color_map,
)

COLORS = ("#000000", "#ff0000", "#00ff00")
PIXELS = np.array(
    [[[0, 0, 0], [255, 0, 0], [0, 255, 0]], [[255, 0, 0], [0, 0, 0], [0, 0, 0]]],
    np.uint8,
)


@pytest.mark.parametrize("with_opacity", [False, True])
def test_colors_become_classes(tmp_path, with_opacity):
    pixels = PIXELS
    if with_opacity:
        pixels = np.concatenate([PIXELS, np.full((2, 3, 1), 255, np.uint8)], axis=-1)
    Image.fromarray(pixels).save(tmp_path / "a.png")

    read = read_color_map(tmp_path / "a.png", COLORS, num_classes=3)
    np.testing.assert_array_equal(read, [[0, 1, 2], [1, 0, 0]])


def test_of_a_palette_the_colors_count(tmp_path):
    Image.fromarray(PIXELS).quantize(3).save(tmp_path / "a.png")

    read = read_color_map(tmp_path / "a.png", COLORS, num_classes=3)
    np.testing.assert_array_equal(read, [[0, 1, 2], [1, 0, 0]])


def test_smooth_edges_are_told_and_need_a_tolerance(tmp_path):
    smooth = PIXELS.copy()
    smooth[1, 0] = (200, 0, 10)
    Image.fromarray(smooth).save(tmp_path / "a.png")

    with pytest.raises(
        MicrographError, match=r"a\.png.*1 pixel of other.*55 levels.*#c8000a \(1 pix"
    ):
        read_color_map(tmp_path / "a.png", COLORS, num_classes=3)
    read = read_color_map(tmp_path / "a.png", COLORS, num_classes=3, tolerance=60)
    np.testing.assert_array_equal(read, [[0, 1, 2], [1, 0, 0]])


@pytest.mark.parametrize("color", ["red", "#ff00", "#gg0000", ""])
def test_what_is_no_color_is_an_error(tmp_path, color):
    with pytest.raises(MicrographError, match="written as"):
        read_color_map(tmp_path / "a.png", ("#000000", color), num_classes=2)


def test_a_mask_that_was_a_jpeg_is_told_as_one(tmp_path):
    pixels = np.kron(PIXELS, np.ones((20, 20, 1), np.uint8))
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=50)
    Image.open(tmp_path / "a.jpg").save(tmp_path / "a.png")

    with pytest.raises(MicrographError, match=r"and \d+ more colors.*of JPEG"):
        read_color_map(tmp_path / "a.png", COLORS, num_classes=3)
    with pytest.raises(MicrographError, match="without loss"):
        read_color_map(tmp_path / "a.jpg", COLORS, num_classes=3)


@pytest.mark.parametrize("given", [(), COLORS[:2]])
def test_without_a_color_for_each_class_those_of_the_file_are_told(tmp_path, given):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    told = rf"with 3 colors.*Given: {len(given)}.*#000000 \(3 pixels\), #ff0000 \(2 pix"
    with pytest.raises(MicrographError, match=told):
        read_color_map(tmp_path / "a.png", given, num_classes=3)


def test_colors_of_several_files_are_counted(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.tif"]
    for path in paths:
        Image.fromarray(PIXELS).save(path)
    Image.fromarray(PIXELS[..., 0]).save(tmp_path / "grey.png")
    assert count_colors(paths) == {"#000000": 6, "#ff0000": 4, "#00ff00": 2}
    seen = [holds_colors(path) for path in (*paths, tmp_path / "grey.png")]
    assert seen == [True, True, False]
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg")
    with pytest.raises(MicrographError, match=r"a\.jpg"):
        count_colors([tmp_path / "a.jpg"])


def test_objects_that_have_a_color_each_are_no_classes(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for number, path in enumerate(paths):
        pixels = np.zeros((4, 6, 3), np.uint8)
        pixels[:2, :, 0] = np.arange(1, 13).reshape(2, 6) + 20 * number
        Image.fromarray(pixels).save(path)
    assert len(count_colors(paths[:1])) == 13
    with pytest.raises(MicrographError, match=r"25 colors, as where each object"):
        count_colors(paths)
