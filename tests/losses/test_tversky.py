"""Tversky against worked values; alpha and beta are where the paper has them."""

import math

import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.losses import FocalTversky, SoftDice, Tversky

TRUTH = np.array([[[1, 1, 0, 0]]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (Tversky(0.3, 0.7), 0.2385787),
        (Tversky(1, 1), 0.375),  # Jaccard
        (Tversky(0.5, 0.5), 0.2307692),  # Dice
        (FocalTversky(0.3, 0.7, 0.75), 0.3413687),
        (FocalTversky(), 0.3413687),
    ],
)
def test_worked_values(loss, expected, logits_of):
    value = loss(TRUTH, logits_of(0.9, 0.6, 0.3, 0.1))
    assert float(value) == pytest.approx(expected, abs=5e-7)


def hard(values):
    return np.where(np.array(values) > 0, 99.0, -99.0).reshape(1, 1, -1, 1)


def test_alpha_weighs_false_and_beta_missed_pixels():
    """Keras up to 3.15 has them exchanged."""
    loss = Tversky(alpha=0.9, beta=0.1)
    false = loss(np.array([[[1, 0, 0, 0]]]), hard([1, 1, 1, 1]))  # TP 1, FP 3
    missed = loss(np.array([[[1, 1, 1, 1]]]), hard([1, 0, 0, 0]))  # TP 1, FN 3
    assert float(false) == pytest.approx(1 - 1 / 3.7)
    assert float(missed) == pytest.approx(1 - 1 / 1.3)
    published = Tversky()(np.array([[[1, 1, 1]]]), hard([1, 0, 0]))  # TP 1, FN 2
    assert float(published) == pytest.approx(0.5833333)


@pytest.mark.parametrize("num_classes", [1, 2, 4])
def test_equals_slow_sums(random_batch, probabilities, num_classes):
    class_map, logits = random_batch(num_classes, num_classes)
    p, known = probabilities(logits), class_map != NOT_ANNOTATED
    losses = []
    for k in range(1, p.shape[-1]):
        q, y = p[..., k][known], class_map[known] == k
        whole = q[y].sum() + 0.2 * q[~y].sum() + 0.6 * (1 - q)[y].sum()
        losses.append((1 - q[y].sum() / whole) ** 0.5)
    value = FocalTversky(0.2, 0.6, 0.5)(class_map, logits)
    assert float(value) == pytest.approx(np.mean(losses), rel=1e-5)
    assert float(Tversky(0.5, 0.5)(class_map, logits)) == pytest.approx(
        float(SoftDice()(class_map, logits)), rel=1e-5
    )


def test_perfect_is_zero():
    assert float(FocalTversky()(TRUTH, hard([1, 1, 0, 0]))) == 0.0


def test_slips_are_told():
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="above 0"):
            Tversky(alpha=bad)
        with pytest.raises(ValueError, match="above 0"):
            FocalTversky(exponent=bad)
