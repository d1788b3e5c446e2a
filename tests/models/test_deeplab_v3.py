"""DeepLabV3 against its published parameter counts."""

import keras
import numpy as np
import pytest

from defectkeras.models.deeplab_v3 import build_deeplab_v3
from defectkeras.models.encoders import build_encoder


def count_trainable(layers):
    return sum(int(np.prod(w.shape)) for n in layers for w in n.trainable_weights)


@pytest.mark.slow
def test_resnet_head_has_the_published_parameters():
    model = build_deeplab_v3((None, None, 3), num_classes=21, encoder="resnet50")
    encoder = {layer.name for layer in build_encoder("resnet50").layers}
    head = [layer for layer in model.layers if layer.name not in encoder]
    assert count_trainable(head) == 16_130_837
    assert model.count_params() - 23_587_712 - 16_130_837 == 2 * 256 * 7  # averages
    rates = [
        model.get_layer(f"encoder_conv5_block{i}_2_conv").dilation_rate
        for i in (1, 2, 3)
    ]
    assert rates == [(2, 2), (4, 4), (8, 8)]
    logits = model(np.zeros((1, 48, 64, 3), np.float32))
    assert logits.shape == (1, 48, 64, 21)


def test_output_stride_8_doubles_the_rates_and_the_map():
    model = build_deeplab_v3(
        num_classes=2, encoder="mobilenet_v2", encoder_alpha=0.35, output_stride=8
    )
    names = [layer.name for layer in model.layers]
    assert "aspp_rate_36_conv" in names
    coarse = keras.Model(model.input, model.get_layer("classes").output)
    assert coarse.compute_output_shape((1, 64, 72, 1)) == (1, 8, 9, 2)


def test_small_image_is_warned_of():
    with pytest.warns(UserWarning, match="reach beyond the map of 4 px"):
        build_deeplab_v3(
            (64, 96, 1), num_classes=2, encoder="mobilenet_v2", encoder_alpha=0.35
        )


def test_its_layers_have_other_names_than_those_of_an_encoder():
    model = build_deeplab_v3(num_classes=2, encoder="efficientnet_lite0")
    assert model.output_shape == (None, None, None, 2)
