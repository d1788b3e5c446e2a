import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import morphology

from defectkeras.quantification.thinning import thin


@pytest.mark.parametrize("sigma_px", [0, 1, 3])
def test_pixels_are_those_of_another_implementation(sigma_px):
    values = gaussian_filter(np.random.default_rng(0).random((70, 110)), sigma_px)
    mask = values > np.median(values)
    np.testing.assert_array_equal(thin(mask), morphology.thin(mask))


@pytest.mark.parametrize("mask", [np.zeros((4, 7), bool), np.eye(5, 8, dtype=bool)])
def test_what_is_thin_stays(mask):
    np.testing.assert_array_equal(thin(mask), mask)
