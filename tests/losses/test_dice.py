"""Dice against a worked value and slow loops."""

import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.losses import SoftDice


def test_worked_value(logits_of):
    value = SoftDice()(np.array([[[1, 1, 0, 0]]]), logits_of(0.9, 0.6, 0.3, 0.1))
    assert float(value) == pytest.approx(0.2307692, abs=5e-7)


def slow_dice(p, class_map):
    losses = []
    for k in range(1, p.shape[-1]):
        hit = false = missed = 0.0
        for place, true in np.ndenumerate(class_map):
            if true != NOT_ANNOTATED:
                hit += p[(*place, k)] * (true == k)
                false += p[(*place, k)] * (true != k)
                missed += (1 - p[(*place, k)]) * (true == k)
        whole = 2 * hit + false + missed
        losses.append(1 - 2 * hit / whole if whole else 0.0)
    return sum(losses) / len(losses)


@pytest.mark.parametrize("num_classes", [1, 2, 4])
@pytest.mark.parametrize("seed", range(5))
def test_equals_slow_loops(random_batch, probabilities, seed, num_classes):
    class_map, logits = random_batch(seed, num_classes)
    assert float(SoftDice()(class_map, logits)) == pytest.approx(
        slow_dice(probabilities(logits), class_map), rel=1e-5, abs=1e-6
    )


def test_nothing_and_nothing_is_zero():
    absent = np.full((1, 2, 3, 1), -1e4)
    assert float(SoftDice()(np.zeros((1, 2, 3), int), absent)) == 0.0
    assert float(SoftDice()(np.zeros((1, 2, 3), int), -absent)) == 1.0


def test_example_of_the_keras_documentation():
    truth = np.array([[[1, 1], [0, 0]], [[1, 1], [0, 0]]])
    p = np.array([[[0, 1], [0, 1]], [[0.4, 0], [0, 0.9]]])
    p = np.clip(p, 1e-9, 1 - 1e-9)[..., None]
    logits = np.log(p / (1 - p))
    assert float(SoftDice()(truth, logits)) == pytest.approx(0.6164384, abs=1e-6)
    for part, expected in enumerate((0.5, 0.75757575)):
        one = np.s_[part : part + 1]
        value = float(SoftDice()(truth[one], logits[one]))
        assert value == pytest.approx(expected, abs=1e-6)
