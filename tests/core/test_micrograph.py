import dataclasses

import numpy as np
import pytest

from defectkeras.core.calibration import Calibration
from defectkeras.core.micrograph import Micrograph


def test_pixels_become_float32_and_shape_is_rows_columns():
    pixels = np.arange(6, dtype=np.uint16).reshape(2, 3)
    micrograph = Micrograph(pixels, Calibration(), "m")
    assert micrograph.pixels.dtype == np.float32
    assert micrograph.shape == (2, 3)
    assert micrograph.metadata == {}


def test_it_is_frozen():
    micrograph = Micrograph(np.zeros((2, 3), np.float32), Calibration(), "m")
    with pytest.raises(dataclasses.FrozenInstanceError):
        micrograph.name = "other"


def test_metadata_is_not_shared_between_micrographs():
    first = Micrograph(np.zeros((2, 3), np.float32), Calibration(), "a")
    second = Micrograph(np.zeros((2, 3), np.float32), Calibration(), "b")
    assert first.metadata is not second.metadata


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, 3, 3)),
        np.zeros((0, 3)),
        np.full((2, 3), np.nan),
        np.zeros((2, 3), complex),
        np.array([["a", "b"]]),
    ],
)
def test_pixels_that_are_no_image_are_refused(pixels):
    with pytest.raises(ValueError, match="`pixels` must"):
        Micrograph(pixels, Calibration(), "m")
