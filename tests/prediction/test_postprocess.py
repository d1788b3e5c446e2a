import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from defectkeras.prediction.postprocess import (
    apply_thresholds,
    most_probable_class,
    remove_small_objects,
)


def softmax_map(*shape):
    logits = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def test_one_half_is_the_most_probable_of_two_classes():
    probabilities = softmax_map(31, 17, 2)
    expected = most_probable_class(probabilities)
    np.testing.assert_array_equal(apply_thresholds(probabilities, [0.5]), expected)


@settings(deadline=None)
@given(thresholds=st.tuples(*[st.floats(0.05, 1.0)] * 3))
def test_thresholds_as_a_loop_over_pixels(thresholds):
    probabilities = softmax_map(7, 5, 4)
    found = apply_thresholds(probabilities, thresholds)
    for pixel, index in zip(probabilities.reshape(-1, 4), found.ravel(), strict=True):
        limits = np.asarray(thresholds, dtype=np.float32)
        ratios = [p / t for p, t in zip(pixel[1:], limits, strict=True)]
        best = int(np.argmax(ratios)) + 1
        assert index == (best if ratios[best - 1] >= 1 else 0)


@pytest.mark.parametrize("thresholds", [(), (0.5, 0.5), (0.0,), (1.1,)])
def test_wrong_thresholds_are_refused(thresholds):
    with pytest.raises(ValueError, match="`thresholds` must be 1 values"):
        apply_thresholds(softmax_map(2, 3, 2), thresholds)


@settings(deadline=None)
@given(min_area_px=st.integers(0, 30), seed=st.integers(0, 20))
def test_specks_go_as_scipy_labels_them(min_area_px, seed):
    noise = np.random.default_rng(seed).random((23, 41))
    class_map = np.digitize(noise, [0.5, 0.75, 0.95]).astype(np.int32)
    class_map[class_map == 3] = -1
    expected = class_map.copy()
    for index in (1, 2):
        labels, count = ndimage.label(class_map == index, structure=np.ones((3, 3)))
        for label in range(1, count + 1):
            if (labels == label).sum() < min_area_px:
                expected[labels == label] = 0
    before = class_map.copy()
    np.testing.assert_array_equal(
        remove_small_objects(class_map, min_area_px), expected
    )
    np.testing.assert_array_equal(class_map, before)
