"""Pixel scores against slow loops and counts by hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.metrics import (
    confusion_counts,
    mean_iou_over_images,
    score_counts,
)

SHAPE = (2, 5, 7)


def slow_counts(true, predicted, num_classes):
    counts = np.zeros((num_classes, num_classes), dtype=int)
    for t, p in zip(true.ravel(), predicted.ravel(), strict=True):
        if t != NOT_ANNOTATED:
            counts[t, p] += 1
    return counts


def slow_scores(true, predicted, k):
    """Score class k from masks, with NaN where a denominator is 0."""
    known = true != NOT_ANNOTATED
    t, p = (true == k) & known, (predicted == k) & known
    hit, either = (t & p).sum(), (t | p).sum()

    def ratio(part, whole):
        return part / whole if whole else np.nan

    return {
        "iou": ratio(hit, either),
        "precision": ratio(hit, p.sum()),
        "recall": ratio(hit, t.sum()),
        "f1": ratio(2 * hit, t.sum() + p.sum()),
    }


@settings(max_examples=60, deadline=None)
@given(
    true=arrays(np.int32, SHAPE, elements=st.integers(NOT_ANNOTATED, 3)),
    predicted=arrays(np.int32, SHAPE, elements=st.integers(0, 3)),
)
def test_scores_equal_slow_loops(true, predicted):
    counts = confusion_counts(true, predicted, num_classes=4)
    np.testing.assert_array_equal(counts, slow_counts(true, predicted, 4))
    scores = score_counts(counts)
    for k in range(4):
        for name, expected in slow_scores(true, predicted, k).items():
            np.testing.assert_allclose(getattr(scores, name)[k], expected)
    known = true != NOT_ANNOTATED
    if known.any():
        assert scores.pixel_accuracy == (true == predicted)[known].mean()


def test_scores_by_hand():
    true = np.array([[0, 0, 1, 1, 2, NOT_ANNOTATED]])
    predicted = np.array([[0, 1, 1, 1, 0, 2]])
    scores = score_counts(confusion_counts(true, predicted, num_classes=4))
    np.testing.assert_allclose(scores.iou, [1 / 3, 2 / 3, 0, np.nan])
    np.testing.assert_allclose(scores.precision, [1 / 2, 2 / 3, np.nan, np.nan])
    np.testing.assert_allclose(scores.recall, [1 / 2, 1, 0, np.nan])
    np.testing.assert_allclose(scores.f1, [1 / 2, 4 / 5, 0, np.nan])
    assert scores.pixel_accuracy == 3 / 5
    assert scores.mean_iou == pytest.approx(1 / 3)
    assert scores.mean_defect_iou == pytest.approx(1 / 3)


def test_counts_of_images_add_up():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(-1, 3, SHAPE), rng.integers(0, 3, SHAPE)
    images = [
        confusion_counts(t, p, num_classes=3)
        for t, p in zip(true, predicted, strict=True)
    ]
    whole = confusion_counts(true, predicted, num_classes=3)
    np.testing.assert_array_equal(sum(images), whole)
    assert whole.dtype == np.int64


def test_pooled_and_mean_over_images_differ_as_stated():
    large = np.array([[90, 0, 0], [0, 10, 0], [0, 0, 0]])  # class 1: IoU 1
    small = np.array([[98, 0, 0], [2, 0, 0], [0, 0, 0]])  # class 1: IoU 0
    counts = np.stack([large, small])
    np.testing.assert_allclose(score_counts(counts.sum(axis=0)).iou[1], 10 / 12)
    np.testing.assert_allclose(mean_iou_over_images(counts), [0.99, 0.5, np.nan])


def test_nothing_annotated_gives_no_number():
    true = np.full((3, 4), NOT_ANNOTATED)
    scores = score_counts(confusion_counts(true, np.zeros((3, 4), int), num_classes=2))
    assert np.isnan([scores.pixel_accuracy, scores.mean_iou]).all()
    assert np.isnan(scores.iou).all()


def test_scores_for_json_have_names_and_no_nan():
    scores = score_counts(np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]]))
    form = json.loads(json.dumps(scores.to_dict(["matrix", "void", "loop"])))
    assert form["classes"]["void"]["iou"] == 0.5
    assert form["classes"]["loop"] == dict.fromkeys(
        ["iou", "precision", "recall", "f1"]
    )
    assert form["mean_defect_iou"] == 0.5
    assert form["pixel_accuracy"] == 0.75


@pytest.mark.parametrize(
    ("true", "predicted", "message"),
    [
        (np.zeros((2, 3), int), np.zeros((3, 2), int), "same shape"),
        (np.full((2, 3), 255), np.zeros((2, 3), int), "`true`.*255"),
        (np.zeros((2, 3), int), np.full((2, 3), -1), "`predicted`.*-1"),
    ],
)
def test_wrong_class_maps(true, predicted, message):
    with pytest.raises(ValueError, match=message):
        confusion_counts(true, predicted, num_classes=2)


def test_micro_iou_weighs_classes_by_their_pixels():
    scores = score_counts(np.array([[6, 2, 0], [1, 3, 0], [0, 4, 4]]))
    assert scores.micro_iou == pytest.approx(13 / (9 + 10 + 8))
    assert scores.micro_defect_iou == pytest.approx(7 / (10 + 8))
    accuracy = scores.pixel_accuracy
    assert scores.micro_iou == pytest.approx(accuracy / (2 - accuracy))
    assert scores.mean_iou == pytest.approx((6 / 9 + 3 / 10 + 4 / 8) / 3)
