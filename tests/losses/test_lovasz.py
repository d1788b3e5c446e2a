"""Lovasz losses against worked values and the definition, step by step."""

import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.losses import LovaszHinge, LovaszSoftmax


def test_worked_values():
    logits = np.array([2, -1, 0.5, -3]).reshape(1, 1, 4, 1)
    assert float(LovaszHinge()(np.array([[[1, 0, 0, 1]]]), logits)) == 2.25
    p = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.3, 0.1]]
    labels = np.array([[[0, 1, 2, 1]]])
    value = float(LovaszSoftmax()(labels, np.log(p).reshape(1, 1, 4, 3)))
    assert value == pytest.approx(0.5055556, abs=5e-7)


def test_slope_is_the_step_of_the_iou():
    """Of [1, 0, 1, 0], sorted by error, the steps are 1/2, 1/6, 1/3 and 0."""
    logits = tf.Variable(np.reshape([-3.0, 2, -1, 0], (1, 1, 4, 1)))
    with tf.GradientTape() as tape:
        value = LovaszHinge()(np.array([[[1, 0, 1, 0]]]), logits)
    slope = tape.gradient(value, logits).numpy().ravel()
    np.testing.assert_allclose(slope, [-1 / 2, 1 / 6, -1 / 3, 0], rtol=1e-6)


def slow_lovasz(errors, truth):
    """Give the loss of one class: the IoU of ever larger sets of wrong pixels."""
    order = np.argsort(-errors, kind="stable")
    loss, before = 0.0, 0.0
    for k in range(1, len(errors) + 1):
        wrong = np.zeros(len(errors), bool)
        wrong[order[:k]] = True
        predicted = truth ^ wrong
        now = 1 - (truth & predicted).sum() / (truth | predicted).sum()
        loss += max(errors[order[k - 1]], 0) * (now - before)
        before = now
    return loss


@pytest.mark.parametrize("num_classes", [1, 2, 4])
@pytest.mark.parametrize("seed", range(5))
def test_softmax_equals_definition(random_batch, probabilities, seed, num_classes):
    class_map, logits = random_batch(seed, num_classes)
    known = class_map != NOT_ANNOTATED
    p, classes = probabilities(logits)[known], class_map[known]
    expected = [
        slow_lovasz(np.abs((classes == k) - p[:, k]), classes == k)
        for k in range(p.shape[-1])
        if (classes == k).any()
    ]
    value = float(LovaszSoftmax()(class_map, logits))
    assert value == pytest.approx(np.mean(expected), rel=1e-5)


@pytest.mark.parametrize("num_classes", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_hinge_equals_definition(random_batch, probabilities, seed, num_classes):
    class_map, logits = random_batch(seed, num_classes)
    known = class_map != NOT_ANNOTATED
    p, classes = probabilities(logits)[known], class_map[known]
    expected = []
    for k in range(1, p.shape[-1]):
        truth = classes == k
        margin = np.log(p[:, k]) - np.log1p(-p[:, k])
        if truth.any():
            expected.append(slow_lovasz(1 - margin * np.where(truth, 1, -1), truth))
    value = float(LovaszHinge()(class_map, logits))
    assert value == pytest.approx(np.mean(expected), rel=1e-4)


def test_hard_errors_give_one_minus_iou():
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 2, (2, 1, 6, 9))
    logits = np.where(predicted, 99.0, -99.0)[..., None]
    expected = [
        1
        - ((truth == k) & (predicted == k)).sum()
        / ((truth == k) | (predicted == k)).sum()
        for k in (0, 1)
    ]
    value = float(LovaszSoftmax()(truth, logits))
    assert value == pytest.approx(np.mean(expected), rel=1e-5)


def test_absent_classes_are_left_out():
    class_map = np.ones((1, 2, 3), int)
    logits = np.zeros((1, 2, 3, 4))  # p = 1/4 of each class, 1 - p = 3/4 of 1
    assert float(LovaszSoftmax()(class_map, logits)) == pytest.approx(0.75)
    assert float(LovaszHinge()(np.zeros_like(class_map), logits)) == 0.0
