"""Means over a grid of cells, by hand."""

import math

import numpy as np
import pytest

from defectkeras.models.layers import AdaptiveAveragePooling2D


@pytest.mark.parametrize(
    ("bins", "height", "width"), [(3, 7, 12), (6, 8, 5), (1, 4, 9)]
)
def test_cells_are_those_of_pytorch(bins, height, width):
    maps = np.random.default_rng(1).normal(size=(2, height, width, 3))
    found = AdaptiveAveragePooling2D(bins)(maps).numpy()

    def cell(i, length):
        return slice(i * length // bins, math.ceil((i + 1) * length / bins))

    for i in range(bins):
        for j in range(bins):
            expected = maps[:, cell(i, height), cell(j, width)].mean(axis=(1, 2))
            np.testing.assert_allclose(found[:, i, j], expected, atol=1e-6)


def test_bins_must_be_positive():
    with pytest.raises(ValueError, match="bins=0"):
        AdaptiveAveragePooling2D(0)
