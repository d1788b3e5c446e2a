import base64
import io

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.reporting.agreement_pictures import (
    BOTH,
    COLORS,
    FIRST,
    SECOND,
    draw_agreement,
)

SCHEME = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "void", "region"))
)


def drawn(columns, shape=(40, 60)):
    class_map = np.zeros(shape, np.int32)
    class_map[10:20, columns] = 1
    return class_map


def draw(maps, image=None):
    return draw_agreement("f", image, maps, SCHEME, calibration=Calibration(0.5))


def opacity(layer):
    png = base64.b64decode(layer.url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3] > 0


def test_parts_of_a_pair_are_what_both_have_and_what_each_has_alone():
    first, second = drawn(slice(10, 30)), drawn(slice(20, 45))
    second[12, 12] = NOT_ANNOTATED
    picture = draw({"anna": first, "ben": second})

    assert picture.pairs == (("anna", "ben"),)
    told = [(layer.who, layer.color) for layer in picture.layers]
    assert told == [
        ("both", COLORS[BOTH]),
        ("only anna", COLORS[FIRST]),
        ("only ben", COLORS[SECOND]),
    ]
    both, anna, ben = (opacity(layer) for layer in picture.layers)
    np.testing.assert_array_equal(both, (first == 1) & (second == 1))
    np.testing.assert_array_equal(anna, (first == 1) & (second == 0))
    np.testing.assert_array_equal(ben, (second == 1) & (first == 0))


def test_each_pair_has_its_layers_and_empty_ones_are_left_out():
    maps = {"a": drawn(slice(5, 9)), "b": drawn(slice(5, 9)), "c": drawn(slice(5, 20))}
    picture = draw(maps)
    assert picture.pairs == (("a", "b"), ("a", "c"), ("b", "c"))
    assert [(layer.pair, layer.who) for layer in picture.layers] == [
        (0, "both"),
        (1, "both"),
        (1, "only c"),
        (2, "both"),
        (2, "only c"),
    ]


@pytest.mark.parametrize("has_image", [False, True])
def test_large_fields_are_scaled_down(has_image):
    maps = {who: drawn(slice(800, 2000), (900, 3000)) for who in "ab"}
    image = np.zeros((900, 3000), np.float32) if has_image else None
    picture = draw(maps, image)
    assert (picture.height_px, picture.width_px) == (360, 1200)
    assert opacity(picture.layers[0]).shape == (360, 1200)
    assert picture.scale_bar.label == "200 nm"
    assert picture.scale_bar.length_px == pytest.approx(160)
    jpeg = base64.b64decode(picture.plain_url.partition(",")[2])
    grey = np.asarray(Image.open(io.BytesIO(jpeg)))
    assert grey.mean() == pytest.approx(0 if has_image else 128, abs=1)
