import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.draw import polygon2mask

from defectkeras.micrographs.annotations.rings import (
    fill_rings,
    trace_rings,
)

MASKS = arrays(bool, st.tuples(st.integers(1, 8), st.integers(1, 9)))


def signed_area(ring):
    (rows, columns), (next_rows, next_columns) = ring.T, np.roll(ring, -1, axis=0).T
    return 0.5 * (columns * next_rows - next_columns * rows).sum()


@settings(max_examples=200, deadline=None)
@given(MASKS)
def test_filling_undoes_tracing(mask):
    rings = trace_rings(mask)

    np.testing.assert_array_equal(fill_rings(rings, mask.shape), mask)
    assert sum(map(signed_area, rings)) == mask.sum()  # holes run the other way


@settings(max_examples=200, deadline=None)
@given(MASKS)
def test_there_is_one_ring_around_each_object_and_hole(mask):
    count, _ = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    around = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    holes, _ = cv2.connectedComponents(around, connectivity=4)

    assert len(trace_rings(mask)) == (count - 1) + (holes - 2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_filling_is_that_of_another_implementation(seed):
    rng = np.random.default_rng(seed)
    ring = rng.random((rng.integers(3, 8), 2)) * [34, 46] - 2

    # scikit-image counts from the center of the first pixel.
    expected = polygon2mask((30, 42), ring - 0.5)
    assert np.count_nonzero(fill_rings([ring], (30, 42)) != expected) <= 1


def test_neighbors_share_no_pixel_and_leave_none_out():
    left = np.array([[0, 0], [0, 3.5], [6, 5.5], [6, 0]])
    right = np.array([[0, 3.5], [0, 9], [6, 9], [6, 5.5]])

    masks = [fill_rings([ring], (6, 9)).astype(int) for ring in (left, right)]

    np.testing.assert_array_equal(sum(masks), 1)


def test_half_a_pixel_decides_by_the_center():
    square = np.array([[1, 1], [1, 4], [3, 4], [3, 1.0]])
    for shift, columns in ((0.0, [1, 2, 3]), (0.4, [1, 2, 3]), (0.6, [2, 3, 4])):
        mask = fill_rings([square + np.array([0, shift])], (5, 7))
        assert np.flatnonzero(mask.any(axis=0)).tolist() == columns


def test_a_circle_has_its_area():
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    ring = np.array([50.3, 70.8]) + 30 * np.stack([np.sin(angles), np.cos(angles)], 1)

    assert fill_rings([ring], (100, 140)).sum() == pytest.approx(np.pi * 900, rel=2e-3)


def test_what_lies_outside_is_cut_off():
    ring = np.array([[-5, -5], [-5, 30], [30, 30], [30, -5.0]])

    assert fill_rings([ring], (4, 6)).all()
    assert not fill_rings([ring + 100], (4, 6)).any()
    assert fill_rings([], (4, 6)).sum() == 0
