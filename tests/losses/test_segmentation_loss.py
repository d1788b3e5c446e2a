"""What every loss promises, whatever it measures."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.losses import build_loss
from defectkeras.losses.expression import LOSSES

EXPRESSIONS = [
    *sorted(LOSSES),
    "ce(smoothing=0.1)",
    "focal(gamma=0.5, alpha=0.9)",
    "0.5*ce + 2*dice",
]
SHAPE = (2, 6, 7)


def build(expression, num_classes, **arguments):
    return build_loss(
        expression, num_classes=num_classes, line_classes=(1,), **arguments
    )


def value_and_gradient(loss, class_map, logits):
    variable = tf.Variable(logits, dtype="float32")
    with tf.GradientTape() as tape:
        value = loss(class_map, variable)
    return float(value), tape.gradient(value, variable).numpy()


@pytest.mark.parametrize("num_classes", [1, 3])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_unknown_pixels_count_nowhere(random_batch, expression, num_classes):
    """Annotation that ends in the image is like an image that ends."""
    loss = build(expression, num_classes)
    class_map, logits = random_batch(1, num_classes, SHAPE)
    class_map[:, 4:] = NOT_ANNOTATED
    expected, inner = value_and_gradient(loss, class_map[:, :4], logits[:, :4])
    value, gradient = value_and_gradient(loss, class_map, logits)
    assert value == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(gradient[:, :4], inner, atol=1e-6)
    assert np.all(gradient[class_map == NOT_ANNOTATED] == 0)


@pytest.mark.parametrize("num_classes", [1, 3])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_batch_without_annotation_gives_zero(random_batch, expression, num_classes):
    class_map, logits = random_batch(2, num_classes, SHAPE)
    unknown = np.full_like(class_map, NOT_ANNOTATED)
    value, gradient = value_and_gradient(
        build(expression, num_classes), unknown, logits
    )
    assert value == 0.0
    assert np.all(gradient == 0)


@pytest.mark.parametrize("num_classes", [1, 2, 4])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_huge_logits_stay_finite(random_batch, expression, num_classes):
    class_map, logits = random_batch(3, num_classes, SHAPE)
    right = np.where(class_map[..., None] == np.arange(1, num_classes + 1), 1, -1)
    for signs in (np.sign(logits), right[..., :num_classes], -right):
        for size in (1e4, 1e8):
            value, gradient = value_and_gradient(
                build(expression, num_classes), class_map, signs * size
            )
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_sigmoid_is_softmax_of_two(random_batch, softmax_form, expression):
    class_map, logits = random_batch(4, 1, SHAPE)
    one = build(expression, 1)(class_map, logits)
    two = build(expression, 2)(class_map, softmax_form(logits))
    assert float(one) == pytest.approx(float(two), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_same_under_xla(random_batch, expression):
    class_map, logits = random_batch(5, 3, SHAPE)
    loss = build(expression, 3)
    expected = value_and_gradient(loss, class_map, logits)
    value, gradient = value_and_gradient(
        tf.function(loss, jit_compile=True), class_map, logits
    )
    assert value == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(gradient, expected[1], atol=1e-6)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_any_size_of_batch_in_a_graph(random_batch, expression):
    loss = build(expression, 3)
    signature = [
        tf.TensorSpec((None, None, None), tf.int32),
        tf.TensorSpec((None, None, None, 3), tf.float32),
    ]
    compiled = tf.function(loss, input_signature=signature)
    for shape in (SHAPE, (1, 5, 3)):
        class_map, logits = random_batch(6, 3, shape)
        value = compiled(class_map.astype(np.int32), logits.astype(np.float32))
        assert float(value) == pytest.approx(float(loss(class_map, logits)), rel=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_float32_under_every_policy(random_batch, policy):
    class_map, logits = random_batch(7, 3, SHAPE)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        for expression in EXPRESSIONS:
            loss = build(expression, 3)
            assert loss(class_map, logits.astype(np.float16)).dtype == "float32"
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_survives_json(random_batch, expression):
    loss = build(expression, 3, class_weights=(0.5, 1.0, 7.0))
    config = json.loads(json.dumps(keras.losses.serialize(loss)))
    again = keras.losses.deserialize(config)
    class_map, logits = random_batch(8, 3, SHAPE)
    assert float(again(class_map, logits)) == float(loss(class_map, logits))
    assert again.get_config() == loss.get_config()


@pytest.mark.slow
def test_compiled_model_trains_and_loads_with_its_loss(random_batch, tmp_path):
    image = keras.Input((None, None, 1))
    model = keras.Model(image, keras.layers.Conv2D(3, 1)(image))
    model.compile("sgd", build(" + ".join(sorted(LOSSES)), 3))
    batch = (np.ones((2, 4, 5, 1)), random_batch(9, 3, (2, 4, 5))[0])
    model.fit(*batch, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(*batch, verbose=0) == pytest.approx(
        model.evaluate(*batch, verbose=0)
    )
