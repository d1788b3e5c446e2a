import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist

from defectkeras.quantification.feret import feret_diameters_px
from defectkeras.quantification.hulls import convex_hulls
from defectkeras.quantification.runs import find_runs


def ferets(label_map):
    return feret_diameters_px(convex_hulls(find_runs(label_map)))


def brute_force(mask):
    """Widths over 3600 directions of all edge midpoints."""
    pixels = np.argwhere(mask).astype(float)
    shifts = np.array([[0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
    points = np.concatenate([pixels + shift for shift in shifts])
    angle = np.linspace(0, np.pi, 3600, endpoint=False)
    widths = np.ptp(points @ np.stack([np.cos(angle), np.sin(angle)]), axis=0)
    return pdist(points).max(), widths.min()


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (6, 9)).filter(lambda mask: mask.any()))
def test_agrees_with_brute_force(mask):
    largest, smallest = ferets(mask.astype(np.int32))
    expected = brute_force(mask)
    assert largest[0] == pytest.approx(expected[0])
    assert smallest[0] == pytest.approx(expected[1], abs=0.01)


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 14))
def test_rectangle(rows, columns):
    label_map = np.zeros((20, 30), np.int32)
    label_map[3 : 3 + rows, 5 : 5 + columns] = 4
    largest, smallest = ferets(label_map)
    assert np.hypot(rows - 1, columns - 1) <= largest[0] <= np.hypot(rows, columns)
    assert smallest[0] <= min(rows, columns)


@pytest.mark.parametrize("diameter", [8, 15, 30])
def test_disc(disc, diameter):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(40):
        label_map = np.zeros((50, 60), np.int32)
        disc(label_map, *rng.uniform(24, 26, 2), diameter)
        found.append([f[0] for f in ferets(label_map)])
    largest, smallest = np.mean(found, axis=0) - diameter
    # The extremes of a ragged outline lie beyond the mean by part of a pixel.
    assert 0.3 < largest < 0.9
    assert -0.5 < smallest < 0


def test_no_object():
    largest, smallest = ferets(np.zeros((3, 5), np.int32))
    assert len(largest) == len(smallest) == 0
