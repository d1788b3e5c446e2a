"""The shared blocks of the decoders."""

import keras
import numpy as np
import pytest

from defectkeras.models.decoder_layers import (
    convolve,
    convolve_separably,
    predict_logits,
)


def test_blocks_keep_the_size_and_have_no_bias():
    x = keras.Input((6, 9, 4))
    for y in (convolve(x, 5, 3, "a", rate=2), convolve_separably(x, 5, "b", rate=3)):
        assert y.shape == (None, 6, 9, 5)
        names = [w.name for w in keras.Model(x, y).trainable_weights]
        assert "bias" not in names


def test_separable_form_without_the_activation_is_a_separable_convolution():
    x = keras.Input((6, 9, 4))
    model = keras.Model(x, convolve_separably(x, 5, "b", is_activated_between=False))
    reference = keras.layers.SeparableConv2D(5, 3, padding="same", use_bias=False)
    images = np.random.default_rng(1).normal(size=(1, 6, 9, 4))
    reference.build((None, 6, 9, 4))
    depthwise = model.get_layer("b_depthwise_conv").get_weights()
    pointwise = model.get_layer("b_pointwise_conv").get_weights()
    reference.set_weights([*depthwise, *pointwise])
    expected = np.maximum(reference(images), 0)
    np.testing.assert_allclose(model(images), expected, atol=1e-4)  # epsilon


def test_logits_are_float32_and_of_the_image_size():
    x = keras.Input((6, 9, 4), dtype="float16")
    logits = predict_logits(x, 3, 8)
    assert logits.shape == (None, 48, 72, 3)
    assert logits.dtype == "float32"
    with pytest.raises(ValueError, match="num_classes=0"):
        predict_logits(x, 0, 8)
