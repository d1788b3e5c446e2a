import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.exposure import rescale_intensity

from defectkeras.micrographs.normalize import (
    HIGH_PERCENT,
    LOW_PERCENT,
    normalize_percentile,
)

IMAGES = arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 8)),
    elements=st.floats(-(2.0**99), 2.0**99, width=32),
)


def test_percentiles_of_a_known_ramp():
    ramp = np.arange(1001, dtype=np.float32).reshape(7, 143)

    image = normalize_percentile(ramp)

    assert (LOW_PERCENT, HIGH_PERCENT) == (0.1, 99.9)
    expected = np.clip((ramp - 1) / 998, 0, 1)
    np.testing.assert_allclose(image, expected, atol=1e-6)


def test_same_as_scikit_image():
    pixels = np.random.default_rng(0).gamma(3, 500, (83, 61)).astype(np.float32)
    low, high = np.percentile(pixels, [2, 95])

    image = normalize_percentile(pixels, low_percent=2, high_percent=95)

    expected = rescale_intensity(pixels, in_range=(low, high), out_range=(0.0, 1.0))
    np.testing.assert_allclose(image, expected, atol=1e-6)


@settings(deadline=None)
@given(IMAGES)
def test_result_lies_between_0_and_1(pixels):
    image = normalize_percentile(pixels)

    assert image.dtype == np.float32
    assert image.shape == pixels.shape
    assert image.min() >= 0
    assert image.max() <= 1


@settings(deadline=None)
@given(st.floats(0.01, 100), st.floats(-1000, 1000))
def test_gain_and_offset_of_the_camera_do_not_matter(gain, offset):
    pixels = np.random.default_rng(0).normal(500, 100, (23, 31)).astype(np.float32)

    np.testing.assert_allclose(
        normalize_percentile(pixels * gain + offset),
        normalize_percentile(pixels),
        atol=1e-3,
    )


def test_a_hot_pixel_does_not_darken_the_rest():
    pixels = np.random.default_rng(0).uniform(0, 1, (100, 110)).astype(np.float32)
    hot = pixels.copy()
    hot[3, 4] = 1e6

    change = normalize_percentile(hot) - normalize_percentile(pixels)

    assert np.abs(np.delete(change.ravel(), 3 * 110 + 4)).max() < 0.01


@pytest.mark.parametrize("value", [0, 7, -1e30])
def test_constant_image_becomes_zeros(value):
    image = normalize_percentile(np.full((3, 5), value, np.float32))

    np.testing.assert_array_equal(image, np.zeros((3, 5)))


def test_pixels_are_left_as_they_were():
    pixels = np.arange(15, dtype=np.float32).reshape(3, 5)
    before = pixels.copy()

    normalize_percentile(pixels)

    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize(("low", "high"), [(50, 50), (60, 40), (-1, 50), (50, 101)])
def test_percentiles_must_be_in_order(low, high):
    with pytest.raises(ValueError, match="low_percent"):
        normalize_percentile(np.ones((2, 3)), low_percent=low, high_percent=high)


def test_a_span_too_small_to_divide_by_counts_as_constant():
    pixels = np.zeros((4, 6), np.float32)
    pixels[:2] = 1e-40
    assert not normalize_percentile(pixels).any()
