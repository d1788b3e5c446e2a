"""Losses against worked values, slow loops and TensorFlow's own form."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import TrainingError
from defectkeras.losses import (
    CrossEntropy,
    LossSum,
    SoftDice,
    build_loss,
    median_frequency_weights,
)

# The common vector: TP 1.5, FP 0.4, FN 0.5.
TRUTH = np.array([[[1, 1, 0, 0]]])
PROBABILITY = np.array([0.9, 0.6, 0.3, 0.1])
LOGITS = np.log(PROBABILITY / (1 - PROBABILITY)).reshape(1, 1, 4, 1)


def two_maps(logits):
    """Write one map of logits as the two maps of a softmax."""
    return np.concatenate([np.zeros_like(logits), logits], axis=-1)


def random_batch(seed, num_classes, shape=(2, 3, 5)):
    rng = np.random.default_rng(seed)
    class_map = rng.integers(NOT_ANNOTATED, max(num_classes, 2), shape)
    return class_map, rng.normal(0, 3, (*shape, num_classes))


def probabilities(logits):
    """Give (B, H, W, K) of K >= 2 classes, in double precision."""
    logits = two_maps(logits) if logits.shape[-1] == 1 else logits
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def slow_cross_entropy(class_map, logits, weights):
    p, terms = probabilities(logits), []
    for place, true in np.ndenumerate(class_map):
        if true != NOT_ANNOTATED:
            terms.append(-weights[true] * math.log(p[(*place, true)]))
    return sum(terms) / len(terms) if terms else 0.0


def slow_dice(class_map, logits):
    p, losses = probabilities(logits), []
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


@pytest.mark.parametrize("form", [lambda z: z, two_maps], ids=["sigmoid", "softmax"])
@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (CrossEntropy((1.0, 8.0)), 1.3478811),
        (CrossEntropy(), 0.2695554),
        (SoftDice(), 0.2307692),
        (LossSum([CrossEntropy((1, 8)), SoftDice()], [0.5, 2]), 1.1354790),
    ],
    ids=["weighted ce", "ce", "dice", "sum"],
)
def test_worked_values(loss, expected, form):
    assert float(loss(TRUTH, form(LOGITS))) == pytest.approx(expected, abs=5e-7)


def test_weighted_form_is_that_of_tensorflow():
    class_map, logits = random_batch(0, 1)
    class_map = np.abs(class_map)
    theirs = tf.nn.weighted_cross_entropy_with_logits(
        class_map[..., None].astype(float), logits, pos_weight=35.9012
    )
    ours = CrossEntropy((1.0, 35.9012))(class_map, logits)
    assert float(ours) == pytest.approx(float(np.mean(theirs)), rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), num_classes=st.sampled_from([1, 2, 4]))
def test_losses_equal_slow_loops(seed, num_classes):
    class_map, logits = random_batch(seed, num_classes)
    weights = np.random.default_rng(seed).uniform(0, 9, max(num_classes, 2))
    assert float(CrossEntropy(weights)(class_map, logits)) == pytest.approx(
        slow_cross_entropy(class_map, logits, weights), rel=1e-5
    )
    assert float(SoftDice()(class_map, logits)) == pytest.approx(
        slow_dice(class_map, logits), rel=1e-5, abs=1e-6
    )


@pytest.mark.parametrize("num_classes", [1, 3])
@pytest.mark.parametrize("expression", ["ce", "dice"])
def test_unknown_pixels_count_nowhere(expression, num_classes):
    loss = build_loss(expression, num_classes=num_classes)
    class_map, logits = random_batch(1, num_classes)
    class_map[:, 1] = NOT_ANNOTATED
    known = [0, 2]
    expected = float(loss(class_map[:, known], logits[:, known]))
    assert float(loss(class_map, logits)) == pytest.approx(expected, rel=1e-6)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = loss(class_map, variable)
    assert np.all(tape.gradient(value, variable)[:, 1].numpy() == 0)


@pytest.mark.parametrize("num_classes", [1, 3])
@pytest.mark.parametrize("expression", ["ce", "dice", "ce + dice"])
def test_batch_without_annotation_gives_zero(expression, num_classes):
    class_map, logits = random_batch(2, num_classes)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = build_loss(expression, num_classes=num_classes)(
            np.full_like(class_map, NOT_ANNOTATED), variable
        )
    assert float(value) == 0.0
    assert np.all(tape.gradient(value, variable).numpy() == 0)


def test_dice_of_nothing_and_nothing_is_zero():
    absent = np.full((1, 2, 3, 1), -1e4)
    assert float(SoftDice()(np.zeros((1, 2, 3), int), absent)) == 0.0
    assert float(SoftDice()(np.zeros((1, 2, 3), int), -absent)) == 1.0


@pytest.mark.parametrize("num_classes", [1, 2, 4])
@pytest.mark.parametrize("size", [1e4, 1e8])
def test_huge_logits_stay_finite(num_classes, size):
    class_map, logits = random_batch(3, num_classes)
    variable = tf.Variable(np.sign(logits) * size, dtype="float32")
    with tf.GradientTape() as tape:
        value = build_loss("ce + dice", num_classes=num_classes)(class_map, variable)
    assert np.isfinite(float(value))
    assert np.isfinite(tape.gradient(value, variable).numpy()).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_losses_are_float32_under_every_policy(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        value = build_loss("ce + dice", num_classes=1)(TRUTH, LOGITS)
    finally:
        keras.config.set_dtype_policy(before)
    assert value.dtype == "float32"


def test_losses_under_xla():
    class_map, logits = random_batch(4, 3)
    loss = build_loss("0.5*ce + 0.5*dice", num_classes=3)
    compiled = tf.function(loss, jit_compile=True)
    assert float(compiled(class_map, logits)) == pytest.approx(
        float(loss(class_map, logits)), rel=1e-6
    )


@pytest.mark.parametrize("expression", ["ce", "dice", "0.25*ce + 2*dice"])
def test_losses_survive_json(expression):
    loss = build_loss(expression, num_classes=3, class_weights=(0.5, 1.0, 7.0))
    config = json.loads(json.dumps(keras.losses.serialize(loss)))
    again = keras.losses.deserialize(config)
    class_map, logits = random_batch(5, 3)
    assert float(again(class_map, logits)) == float(loss(class_map, logits))
    assert again.get_config() == loss.get_config()


def test_compiled_model_loads_with_its_loss(tmp_path):
    image = keras.Input((None, None, 1))
    model = keras.Model(image, keras.layers.Conv2D(3, 1)(image))
    model.compile("sgd", build_loss("ce + dice", num_classes=3))
    batch = (np.ones((2, 4, 5, 1)), random_batch(6, 3, (2, 4, 5))[0])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(*batch, verbose=0) == pytest.approx(
        model.evaluate(*batch, verbose=0)
    )


@pytest.mark.parametrize(
    ("expression", "factors", "names"),
    [
        ("0.5*ce + 0.5*dice", (0.5, 0.5), ["ce", "dice"]),
        ("ce+dice", (1.0, 1.0), ["ce", "dice"]),
        (" 2 * dice ", (2.0,), ["dice"]),
        ("1e-2*ce+3*ce", (0.01, 3.0), ["ce", "ce"]),
    ],
)
def test_expressions_are_read(expression, factors, names):
    loss = build_loss(expression, num_classes=3)
    assert loss.factors == factors
    assert [term.name for term in loss.losses] == names


def test_single_term_is_the_loss_itself():
    assert isinstance(build_loss("dice", num_classes=3), SoftDice)
    weights = (1.0, 2.0, 3.0)
    loss = build_loss("ce", num_classes=3, class_weights=weights)
    assert loss.class_weights == weights


@pytest.mark.parametrize(
    "expression",
    ["", "ce +", "0*ce", "1..2*ce", "ce - dice", "ce dice", "2ce", "-1*ce"],
)
def test_unreadable_expressions(expression):
    with pytest.raises(TrainingError, match="must be a sum of terms"):
        build_loss(expression, num_classes=3)


def test_slips_in_a_loss():
    with pytest.raises(TrainingError, match="Did you mean 'dice'"):
        build_loss("ce + dise", num_classes=3)
    with pytest.raises(TrainingError, match="2 class weights"):
        build_loss("ce", num_classes=1, class_weights=(1, 2, 3))
    with pytest.raises(ValueError, match="each of 4 classes"):
        CrossEntropy((1, 2))(*random_batch(7, 4))


def test_median_frequency_weights_by_hand():
    # f = 190/200, 6/100, 4/100 (images without a class do not count for it)
    weights = median_frequency_weights(np.array([[90, 6, 4], [100, 0, 0]]))
    assert weights == pytest.approx((0.06 / 0.95, 1.0, 1.5))


def test_median_frequency_weights_of_one_row_and_absent_class():
    assert median_frequency_weights(np.array([80, 0, 20])) == (
        pytest.approx(0.5 / 0.8),
        0.0,
        2.5,
    )
    with pytest.raises(ValueError, match="at least one pixel"):
        median_frequency_weights(np.zeros((2, 3), int))
