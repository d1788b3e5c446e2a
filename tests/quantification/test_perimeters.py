import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import regionprops_table

from defectkeras.quantification.perimeters import perimeters_px
from defectkeras.quantification.runs import find_runs


@settings(max_examples=60, deadline=None)
@given(arrays(np.int32, (8, 13), elements=st.integers(0, 3)))
def test_agrees_with_scikit_image(label_map):
    expected = regionprops_table(label_map, properties=("label", "perimeter_crofton"))
    found = perimeters_px(find_runs(label_map))
    np.testing.assert_allclose(found, expected["perimeter_crofton"])


@pytest.mark.parametrize("diameter", [10, 20, 45])
def test_discs(disc, diameter):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(30):
        label_map = np.zeros((60, 70), np.int32)
        disc(label_map, *rng.uniform(29, 31, 2), diameter)
        found.append(perimeters_px(find_runs(label_map))[0])
    assert np.mean(found) == pytest.approx(np.pi * diameter, rel=0.01)
