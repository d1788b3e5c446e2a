"""Every architecture computes alike with and without XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.losses import build_loss
from defectkeras.training.optimizer import freeze_encoder


def test_xla_gives_equal_output(case, ramp_model, draw_image, assert_near):
    image = draw_image(*case.fit(24, 40))
    compiled = tf.function(lambda x: ramp_model(x, training=False), jit_compile=True)
    assert_near(ramp_model(image), compiled(image), tolerance=1e-4)


@pytest.mark.slow
def test_xla_gives_equal_gradients(case_of_gradients, draw_discs, settle):
    """At the same random weights, for each step of training multiplies a difference.

    All but the logits is computed in float64, where XLA's gradients of a SegNet are
    TensorFlow's to 5e-7. XLA adds in another order, and in float32 that rounding moves
    maxima to other pixels: gradients change by up to 2 %, which could hide a wrong
    operation. Networks on encoders stay in float32, measured by what the last bit of
    each grey level does without XLA; a maximum that only XLA moves may add 1e-3.

    Nothing is dropped, since XLA draws other numbers than TensorFlow. Encoders are
    frozen, or compiling would take most of the time of the tests; the gradients of one
    are compared in tests/models/encoders/test_build.py.
    """
    case = case_of_gradients
    height, width = case.fit(96, 128)
    if not case.is_deep:
        keras.config.set_dtype_policy("float64")
    keras.utils.set_random_seed(3)
    model = case.build()
    image, class_map = draw_discs(height, width)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    if case.is_deep:
        settle(model, image[None, :, :, None])
        freeze_encoder(model, is_frozen=True)
    variables = [w.value for w in model.trainable_weights]

    def gradients(image):
        with tf.GradientTape() as tape:
            logits = model(image[None, :, :, None], training=True)
            loss = build_loss("ce + dice", num_classes=3)(class_map[None], logits)
        values = tape.gradient(loss, variables)
        flat = [tf.reshape(tf.cast(value, tf.float64), [-1]) for value in values]
        return loss, tf.concat(flat, axis=0)

    plain, compiled = (tf.function(gradients, jit_compile=jit) for jit in (False, True))
    loss, expected = plain(tf.constant(image))
    other, found = compiled(tf.constant(image))
    size = np.linalg.norm(expected)
    assert size > 0.01
    allowed = 1e-5 * size
    if case.is_deep:
        rng, moved = np.random.default_rng(5), []
        for _ in range(3):
            side = rng.choice(np.float32([-9, 9]), image.shape)
            moved.append(plain(tf.constant(np.nextafter(image, side)))[1])
        rounding = max(np.linalg.norm(values - expected) for values in moved)
        allowed = min(1e-3 * size + 5 * rounding, 0.3 * size)
    assert np.linalg.norm(found - expected) < allowed
    np.testing.assert_allclose(other, loss, rtol=1e-5)
