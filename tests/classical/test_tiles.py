"""Masks as probabilities, and polarity."""

import numpy as np
import pytest

from defectkeras.classical.tiles import predict_masks, with_bright_defects


def test_masks_become_two_classes():
    tiles = np.random.default_rng(1).random((3, 4, 6, 1), dtype=np.float32)
    probabilities = predict_masks(lambda tile: tile > 0.5)(tiles)
    assert probabilities.shape == (3, 4, 6, 2)
    assert probabilities.dtype == np.float32
    np.testing.assert_array_equal(probabilities.sum(axis=-1), 1)
    np.testing.assert_array_equal(probabilities[..., 1:] == 1, tiles > 0.5)


def test_dark_defects_become_bright():
    image = np.array([[0.25, 1.0]], dtype=np.float32)
    np.testing.assert_array_equal(with_bright_defects(image, "bright"), image)
    np.testing.assert_array_equal(with_bright_defects(image, "dark"), [[0.75, 0]])


def test_unknown_polarity_is_told():
    with pytest.raises(ValueError, match=r'"dark" or "bright".*grey'):
        with_bright_defects(np.zeros((2, 3), dtype=np.float32), "grey")
