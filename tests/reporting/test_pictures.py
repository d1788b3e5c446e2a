import base64
import io

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.palette import class_colors
from defectkeras.reporting.pictures import make_pictures

SCHEME = LabelScheme(
    (
        DefectClass(0, "matrix", "matrix"),
        DefectClass(1, "dislocation", "line"),
        DefectClass(2, "void", "region"),
    )
)


def field(height, width):
    rows, columns = np.mgrid[0:height, 0:width]
    image = ((rows + columns) / (height + width)).astype(np.float32)
    class_map = np.zeros((height, width), dtype=np.int32)
    class_map[np.hypot(rows - height / 2, columns - width / 3) < height / 5] = 2
    class_map[height // 8 : height // 8 + 2] = 1
    return image, class_map


def opened(url, kind):
    head, _, data = url.partition(",")
    assert head == f"data:{kind};base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_the_plain_picture_is_the_micrograph():
    image, class_map = field(90, 140)
    pictures = make_pictures(image, class_map, SCHEME, calibration=Calibration())
    plain = np.asarray(opened(pictures.plain_url, "image/jpeg"), dtype=float)
    assert plain.shape == (90, 140) == (pictures.height_px, pictures.width_px)
    assert np.abs(plain - 255 * image).mean() < 2


def test_a_layer_has_one_color_and_is_clear_elsewhere():
    image, class_map = field(90, 140)
    pictures = make_pictures(image, class_map, SCHEME, calibration=Calibration())
    assert [layer.class_name for layer in pictures.layers] == ["void", "dislocation"]
    colors = class_colors(SCHEME)
    for layer, index in zip(pictures.layers, (2, 1), strict=True):
        pixels = np.asarray(opened(layer.url, "image/png").convert("RGBA"))
        assert layer.color == colors[index]
        assert {tuple(p) for p in pixels[..., :3].reshape(-1, 3)} == {colors[index]}
        np.testing.assert_array_equal(pixels[..., 3] > 0, class_map == index)


@pytest.mark.parametrize("shape", [(1000, 3000), (2400, 1300)])
def test_large_micrographs_are_scaled_down(shape):
    image, class_map = field(*shape)
    pictures = make_pictures(
        image, class_map, SCHEME, calibration=Calibration(pixel_size_nm=1.0)
    )
    assert max(pictures.width_px, pictures.height_px) == 1600
    scale = 1600 / max(shape)
    for url, kind in (
        (pictures.plain_url, "image/jpeg"),
        *((layer.url, "image/png") for layer in pictures.layers),
    ):
        size = opened(url, kind).size
        assert size == (pictures.width_px, pictures.height_px)
    length_nm = float(pictures.scale_bar.label.split()[0])
    assert pictures.scale_bar.length_px == pytest.approx(length_nm * scale, rel=1e-2)


def test_layers_are_small():
    image, class_map = field(1600, 1500)
    pictures = make_pictures(image, class_map, SCHEME, calibration=Calibration())
    assert sum(len(layer.url) for layer in pictures.layers) < 60_000


def test_nothing_found_gives_no_layer():
    image, class_map = field(40, 70)
    pictures = make_pictures(image, 0 * class_map, SCHEME, calibration=Calibration())
    assert pictures.layers == ()
