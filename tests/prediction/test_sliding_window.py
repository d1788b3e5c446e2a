"""A window around every pixel."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from defectkeras.prediction.predict import predict_image
from defectkeras.prediction.sliding_window import slide_window


def mean_of_window(windows):
    return windows.mean(axis=(1, 2))


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_mean_of_windows_is_a_mean_filter(batch_size):
    tiles = np.random.default_rng(1).random((2, 6, 9, 1), dtype=np.float32)
    predict = slide_window(mean_of_window, patch_size=5, batch_size=batch_size)
    expected = uniform_filter(tiles, (0, 5, 5, 0), mode="constant")
    np.testing.assert_allclose(predict(tiles), expected, rtol=1e-5)


def test_no_batch_is_larger_than_asked():
    seen = []

    def classify(windows):
        seen.append(windows.shape)
        return np.ones((len(windows), 2), dtype=np.float32)

    tiles = np.zeros((1, 4, 5, 1), dtype=np.float32)
    assert slide_window(classify, patch_size=3, batch_size=8)(tiles).shape == (
        1,
        4,
        5,
        2,
    )
    assert seen == [(8, 3, 3, 1), (8, 3, 3, 1), (4, 3, 3, 1)]


def test_is_a_predict_fn():
    image = np.zeros((20, 31), dtype=np.float32)
    image[4:9, 11:17] = 1

    def classify(windows):
        center = windows[:, 1, 1]
        return np.concatenate([1 - center, center], axis=-1)

    predicted = predict_image(
        slide_window(classify, patch_size=3), image, num_classes=2
    )
    np.testing.assert_array_equal(predicted.class_map, image)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patch_size": 4}, "odd.*patch_size=4"),
        ({"patch_size": -1}, "odd.*patch_size=-1"),
        ({"patch_size": 3, "batch_size": 0}, "at least 1.*batch_size=0"),
    ],
)
def test_bad_sizes_are_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        slide_window(mean_of_window, **arguments)
