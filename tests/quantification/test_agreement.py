import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from defectkeras.quantification.agreement import match_objects


def test_shifted_squares():
    true = np.zeros((30, 50), np.int32)
    predicted = np.zeros_like(true)
    true[5:15, 5:15] = 7
    predicted[5:15, 8:18] = 3  # 70 px in common of 130
    true[20:25, 30:40] = 9
    predicted[2:4, 40:44] = 5
    match = match_objects(true, predicted)
    assert match.true_labels.tolist() == [7]
    assert match.predicted_labels.tolist() == [3]
    assert match.mean_iou == pytest.approx(70 / 130)
    assert (match.precision, match.recall, match.f1) == (0.5, 0.5, 0.5)
    assert match_objects(true, predicted, min_iou=0.6).true_positives == 0


def test_below_one_half_the_best_sum_wins():
    true = np.array([[1] * 6 + [2] * 6] * 2, np.int32)
    predicted = np.array([[0] * 3 + [5] * 5 + [6] * 4] * 2, np.int32)
    match = match_objects(true, predicted, min_iou=0.1)
    assert dict(zip(match.true_labels, match.predicted_labels, strict=True)) == {
        1: 5,
        2: 6,
    }


@settings(max_examples=40, deadline=None)
@given(arrays(np.int32, (6, 9), elements=st.integers(0, 4)))
def test_a_map_agrees_with_itself_and_any_renumbering(label_map):
    renumbered = np.array([0, 9, 4, 8, 1], np.int32)[label_map]
    match = match_objects(label_map, renumbered)
    count = len(np.unique(label_map[label_map > 0]))
    assert match.true_positives == match.true_count == count
    assert match.f1 == (1.0 if count else None)
    if count:
        assert match.mean_iou == 1.0


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.int32, (6, 9), elements=st.integers(0, 3)),
    arrays(np.int32, (6, 9), elements=st.integers(0, 3)),
)
def test_matching_is_symmetric(true, predicted):
    one, other = match_objects(true, predicted), match_objects(predicted, true)
    assert one.true_positives == other.true_positives
    assert one.precision == other.recall


def test_no_objects():
    empty = np.zeros((4, 7), np.int32)
    match = match_objects(empty, empty)
    assert match.f1 is match.precision is match.recall is match.mean_iou is None


@pytest.mark.parametrize(
    ("shape", "min_iou", "text"), [((4, 8), 0.5, "shape"), ((4, 7), 0.0, "above 0")]
)
def test_slips_are_told(shape, min_iou, text):
    with pytest.raises(ValueError, match=text):
        match_objects(
            np.zeros((4, 7), np.int32), np.zeros(shape, np.int32), min_iou=min_iou
        )
