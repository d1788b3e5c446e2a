import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import regionprops_table

from defectkeras.quantification.hulls import convex_hulls, next_corners
from defectkeras.quantification.runs import find_runs


@settings(max_examples=60, deadline=None)
@given(arrays(np.int32, (9, 13), elements=st.integers(0, 3)))
def test_areas_are_those_of_scikit_image(label_map):
    hulls = convex_hulls(find_runs(label_map))
    expected = regionprops_table(label_map, properties=("label", "area_convex"))
    np.testing.assert_array_equal(hulls.areas_px, expected["area_convex"])


@settings(max_examples=60, deadline=None)
@given(arrays(bool, (8, 12)).filter(lambda mask: mask.any()))
def test_corners_are_those_of_opencv(mask):
    hulls = convex_hulls(find_runs(mask.astype(np.int32)))
    pixels = 2 * np.argwhere(mask)
    shifts = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    points = np.concatenate([pixels + shift for shift in shifts])[:, ::-1]
    expected = cv2.convexHull(points.astype(np.int32))[:, 0]
    ours = np.stack([hulls.x, hulls.y], axis=1)
    assert {tuple(p) for p in ours} == {tuple(p) for p in expected}
    around = cv2.contourArea(ours.astype(np.int32))
    assert around == cv2.contourArea(expected)


def test_no_object():
    hulls = convex_hulls(find_runs(np.zeros((4, 6), np.int32)))
    assert len(hulls.x) == len(hulls.starts) == len(hulls.areas_px) == 0


def test_the_corner_after_the_last_is_the_first():
    assert next_corners(np.array([0, 3]), 7).tolist() == [1, 2, 0, 4, 5, 6, 3]
