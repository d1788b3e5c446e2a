"""DeepLabV3+ against its published parameter counts."""

import keras
import numpy as np
import pytest

from defectkeras.models.deeplab_v3_plus import add_decoder, build_deeplab_v3_plus


def count_trainable(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.mark.parametrize(
    ("separable", "parameters"), [(False, 1_303_648), (True, 162_928)]
)
def test_decoder_has_the_published_parameters(separable, parameters):
    x, low_level = keras.Input((4, 6, 256)), keras.Input((16, 24, 256))
    y = add_decoder(x, low_level, separable=separable)
    assert y.shape == (None, 16, 24, 256)
    assert count_trainable(keras.Model([x, low_level], y)) == parameters


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["resnet50", "xception", "mobilenet_v3_large"])
def test_large_encoders_give_logits_of_the_image_size(encoder):
    model = build_deeplab_v3_plus(num_classes=3, encoder=encoder)
    logits = model(np.zeros((2, 48, 80, 1), np.float32))
    assert logits.shape == (2, 48, 80, 3)
    assert np.isfinite(logits).all()


def test_low_level_map_is_at_a_quarter():
    model = build_deeplab_v3_plus(
        num_classes=2, encoder="mobilenet_v2", encoder_alpha=0.35
    )
    fine = keras.Model(model.input, model.get_layer("low_level_relu").output)
    assert fine.compute_output_shape((1, 64, 96, 1)) == (1, 16, 24, 48)
