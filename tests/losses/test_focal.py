"""Focal loss against worked values, Keras' own and slow loops."""

import math

import keras
import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.losses import CrossEntropy, Focal, sigmoid_focal_cross_entropy

TRUTH = np.array([1, 1, 1, 0, 0, 0]).reshape(1, 1, 6)


def test_worked_values(logits_of):
    logits = logits_of(0.97, 0.91, 0.73, 0.27, 0.09, 0.03)
    each = sigmoid_focal_cross_entropy(TRUTH[..., None], logits).numpy().ravel()
    expected = [6.8533e-6, 1.90979e-4, 5.736e-3, 1.7207e-2, 5.73e-4, 2.05599e-5]
    np.testing.assert_allclose(each, expected, rtol=2e-4)
    assert float(Focal()(TRUTH, logits)) == pytest.approx(np.mean(expected), rel=1e-4)


def test_is_that_of_keras(random_batch):
    class_map, logits = random_batch(0, 1)
    class_map = np.abs(class_map)
    theirs = keras.losses.BinaryFocalCrossentropy(
        apply_class_balancing=True, alpha=0.4, gamma=1.5, from_logits=True
    )
    expected = float(theirs(class_map[..., None].astype(float), logits))
    value = float(Focal(alpha=0.4, gamma=1.5)(class_map, logits))
    assert value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("alpha", [None, 0.3])
@pytest.mark.parametrize("num_classes", [1, 2, 4])
def test_equals_slow_loops(random_batch, probabilities, num_classes, alpha):
    class_map, logits = random_batch(1, num_classes)
    p, terms = probabilities(logits), []
    for place, true in np.ndenumerate(class_map):
        if true != NOT_ANNOTATED:
            p_true = p[(*place, true)]
            weight = 1 if alpha is None else alpha if true else 1 - alpha
            terms.append(-weight * (1 - p_true) ** 1.5 * math.log(p_true))
    value = float(Focal(alpha, 1.5)(class_map, logits))
    assert value == pytest.approx(np.mean(terms), rel=1e-5)


@pytest.mark.parametrize("num_classes", [1, 3])
def test_without_alpha_and_gamma_it_is_cross_entropy(random_batch, num_classes):
    batch = random_batch(2, num_classes)
    value = float(Focal(alpha=None, gamma=0)(*batch))
    assert value == pytest.approx(float(CrossEntropy()(*batch)), rel=1e-5)


def test_soft_truth_is_taken():
    value = float(sigmoid_focal_cross_entropy([0.25], [0.0], alpha=None)[0])
    assert value == pytest.approx(0.25 * math.log(2))  # p_t = 1/2 whatever y


def test_slips_are_told():
    for bad in ({"alpha": -0.1}, {"alpha": 1.1}, {"gamma": -1}, {"gamma": math.nan}):
        with pytest.raises(ValueError, match="`alpha` must be from 0 to 1"):
            Focal(**bad)
