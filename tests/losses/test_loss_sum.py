import numpy as np
import pytest

from defectkeras.losses import CrossEntropy, LossSum, SoftDice


def test_worked_value(logits_of):
    loss = LossSum([CrossEntropy((1, 8)), SoftDice()], [0.5, 2])
    value = loss(np.array([[[1, 1, 0, 0]]]), logits_of(0.9, 0.6, 0.3, 0.1))
    assert float(value) == pytest.approx(0.5 * 1.3478811 + 2 * 0.2307692, abs=1e-6)
