"""FCN against the published sizes, Keras' VGG16 and plain upsampling."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import ModelError
from defectkeras.models.fcn import build_fcn, encode


@pytest.mark.usefixtures("undrawn_weights")
@pytest.mark.slow  # half a gigabyte of weights
def test_published_parameters():
    """VGG16, 7x7x512 -> 4096 -> 4096 -> 21 classes: 134 million, as published."""
    dense = 7 * 7 * 512 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 21 + 21
    skips = (512 + 1 + 256 + 1) * 21
    upsampling = (2 * 4 * 4 + 16 * 16) * 21
    model = build_fcn((None, None, 3), num_classes=21)
    expected = 14_714_688 + dense + skips + upsampling
    assert model.count_params() == expected == 134_368_799


@pytest.mark.parametrize(
    ("variant", "layers"),
    [
        ("32s", {"logits": 32}),
        ("16s", {"upscore_pool4": 2, "logits": 16}),
        ("8s", {"upscore_pool4": 2, "upscore_pool3": 2, "logits": 8}),
    ],
)
def test_upsampling_of_each_variant(variant, layers):
    model = build_fcn(num_classes=3, variant=variant, filters=2)
    found = {x.name: x.factor for x in model.layers if hasattr(x, "factor")}
    assert found == layers


def test_encoder_is_that_of_keras():
    image = keras.Input((None, None, 3))
    encoder = keras.Model(image, encode(image, filters=64))
    vgg = keras.applications.VGG16(include_top=False, weights=None)
    for ours, theirs in zip(encoder.layers[1:], vgg.layers[1:], strict=True):
        assert (ours.name, type(ours)) == (theirs.name, type(theirs))
        shapes = [[w.shape for w in layer.weights] for layer in (ours, theirs)]
        assert shapes[0] == shapes[1]


def test_before_training_skips_change_nothing():
    """Scores of the pools begin at 0, so 8s is bilinear upsampling of 32s inside."""
    keras.utils.set_random_seed(2)
    model = build_fcn((256, 320, 1), num_classes=2, variant="8s", filters=2)
    image = np.random.default_rng(3).random((1, 256, 320, 1), dtype=np.float32)
    scores = keras.Model(model.input, model.get_layer("score_fc7").output)(image)
    for factor in (2, 2, 8):
        rows, columns = (factor * side for side in scores.shape[1:3])
        scores = tf.image.resize(scores, (rows, columns))
    inside = (slice(None), slice(96, -96), slice(96, -96))
    logits = model(image).numpy()[inside]
    np.testing.assert_allclose(logits, scores.numpy()[inside], atol=1e-5)


def test_unknown_variant_names_the_nearest():
    with pytest.raises(ModelError, match="Did you mean"):
        build_fcn(num_classes=2, variant="8")
