import numpy as np

from defectkeras.reporting import preview
from defectkeras.reporting.preview import make_preview


def test_means_and_thin_lines_whatever_the_bands(monkeypatch):
    image = np.random.default_rng(0).random((203, 317), np.float32)
    class_map = np.zeros(image.shape, np.uint8)
    class_map[:, 100:102] = 1
    class_map[40:90, 200:260] = 2
    found = []
    for band_px in (1 << 22, 3000):
        monkeypatch.setattr(preview, "_BAND_PX", band_px)
        found.append(
            make_preview(
                image.shape,
                lambda a, b: image[a:b],
                lambda a, b: class_map[a:b],
                max_side_px=80,
            )
        )
    one, other = found
    assert one.factor == 4
    assert one.image.shape == one.class_map.shape == (51, 80)
    np.testing.assert_allclose(one.image, other.image, rtol=1e-6)
    np.testing.assert_array_equal(one.class_map, other.class_map)
    np.testing.assert_allclose(one.image[3, 5], image[12:16, 20:24].mean(), rtol=1e-6)
    np.testing.assert_allclose(one.image[-1, -1], image[200:, 316:].mean(), rtol=1e-6)
    assert (one.class_map[:, 25] == 1).all()
    assert set(np.unique(one.class_map)) == {0, 1, 2}


def test_a_small_one_stays_as_it_is():
    image = np.random.default_rng(0).random((20, 30), np.float32)
    classes = np.ones(image.shape, np.uint8)
    found = make_preview(
        image.shape, lambda a, b: image[a:b], lambda a, b: classes[a:b]
    )
    np.testing.assert_array_equal(found.image, image)
    assert found.factor == 1
