"""Boundary scores against slow loops and drawn truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.metrics import count_boundaries

SHAPE = (6, 9)


def slow_boundary(class_map, annotated, index):
    """List the boundary pixels of a class, pixel by pixel."""
    found = []
    for row, column in np.ndindex(class_map.shape):
        if not annotated[row, column] or class_map[row, column] != index:
            continue
        for r, c in (
            (row - 1, column),
            (row + 1, column),
            (row, column - 1),
            (row, column + 1),
        ):
            inside = 0 <= r < class_map.shape[0] and 0 <= c < class_map.shape[1]
            if inside and annotated[r, c] and class_map[r, c] != index:
                found.append((row, column))
                break
    return found


def slow_matches(places, others, tolerance):
    return sum(
        any(np.hypot(r - y, c - x) <= tolerance for y, x in others) for r, c in places
    )


@settings(max_examples=40, deadline=None)
@given(
    true=arrays(np.int32, SHAPE, elements=st.sampled_from([NOT_ANNOTATED, 0, 0, 1, 2])),
    predicted=arrays(np.int32, SHAPE, elements=st.integers(0, 2)),
    tolerance=st.sampled_from([0, 1, 1.5, 2, 3]),
)
def test_counts_equal_slow_loops(true, predicted, tolerance):
    counts = count_boundaries(true, predicted, num_classes=3, tolerance_px=tolerance)
    annotated = true != NOT_ANNOTATED
    for index in range(3):
        one = slow_boundary(true, annotated, index)
        other = slow_boundary(predicted, annotated, index)
        assert counts.true[index] == len(one)
        assert counts.predicted[index] == len(other)
        assert counts.found[index] == slow_matches(one, other, tolerance)
        assert counts.right[index] == slow_matches(other, one, tolerance)


def disc(diameter, column=30):
    rows, columns = np.ogrid[:50, :70]
    distance = np.hypot(rows - 25, columns - column)
    return (distance <= diameter / 2).astype(np.int32)


def test_a_shift_matches_within_its_length():
    true, shifted = disc(30), disc(30, column=33)
    for tolerance, is_whole in ((1, False), (2, False), (3, True)):
        counts = count_boundaries(true, shifted, num_classes=2, tolerance_px=tolerance)
        assert (counts.f1[1] == 1) == is_whole


def test_a_thick_or_thin_disc_fails_where_iou_does_not():
    counts = count_boundaries(disc(40), disc(34), num_classes=2, tolerance_px=2)
    assert counts.f1[1] == 0
    iou = disc(34).sum() / disc(40).sum()
    assert iou > 0.7


def test_counts_add_up_to_pooled_scores():
    pairs = [(disc(30), disc(30, column=32)), (disc(20), 0 * disc(20))]
    parts = [count_boundaries(*p, num_classes=2, tolerance_px=2) for p in pairs]
    pooled = parts[0] + parts[1]
    np.testing.assert_array_equal(pooled.true, parts[0].true + parts[1].true)
    assert pooled.precision[1] == 1
    length = parts[0].true[1], parts[1].true[1]
    assert pooled.recall[1] == length[0] / sum(length)
    assert pooled.true.dtype == np.int64


def test_scores_where_there_is_no_boundary():
    empty = np.zeros((4, 7), np.int32)
    neither = count_boundaries(empty, empty, num_classes=2)
    assert np.isnan([neither.precision, neither.recall, neither.f1]).all()
    one = count_boundaries(empty, np.eye(4, 7, dtype=np.int32), num_classes=2)
    assert (one.f1[1], one.precision[1]) == (0, 0)
    assert np.isnan(one.recall[1])


def test_slips_are_told():
    maps = np.zeros((2, 4, 7), np.int32)
    with pytest.raises(ValueError, match="same shape"):
        count_boundaries(maps[0], maps[1, :3], num_classes=2)
    for bad in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="`tolerance_px`"):
            count_boundaries(*maps, num_classes=2, tolerance_px=bad)
