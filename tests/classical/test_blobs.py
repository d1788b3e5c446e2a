"""Discs: found, of the right size, and nothing where there is none."""

import numpy as np
import pytest

from defectkeras.classical.blobs import RESPONSE_OF_DISC, blobs


@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_finds_discs(polarity, discs, draw, iou_of):
    image = draw(discs, polarity=polarity)
    assert iou_of(blobs(image, polarity=polarity), image, discs) > 0.75


def test_response_of_a_disc():
    """The filter of SciPy on a drawn disc of radius 20, at its scale."""
    from scipy.ndimage import gaussian_laplace

    y, x = np.mgrid[-90:91, -100:101]
    disc = (x**2 + y**2 <= 20**2).astype(float)
    sigma = 20 / np.sqrt(2)
    response = -(sigma**2) * gaussian_laplace(disc, sigma)
    assert response[90, 100] == pytest.approx(RESPONSE_OF_DISC, rel=0.02)


def test_a_flat_image_has_none():
    image = np.full((60, 70), 0.4, dtype=np.float32)
    found = blobs(image, polarity="bright")(image[None, :, :, None])
    assert not found[..., 1].any()
