"""FastFCN: published counts, and what each head does."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.fast_fcn import HEADS, build_fast_fcn

SMALL = {"encoder": "mobilenet_v2", "encoder_alpha": 0.35, "pyramid_filters": 16}


def count_trainable(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


def test_fcn_head_has_the_published_parameters():
    x = keras.Input((None, None, 2048))
    y = keras.layers.Conv2D(21, 1)(HEADS["fcn"](x))
    assert count_trainable(keras.Model(x, y)) == 9_448_981


@pytest.mark.parametrize(
    ("head", "channels"), [("psp", 512), ("aspp", 256), ("cbp", 512)]
)
def test_heads_keep_the_size(head, channels):
    x = keras.Input((None, None, 64))
    model = keras.Model(x, HEADS[head](x))
    maps = np.random.default_rng(1).normal(size=(2, 7, 10, 64)).astype(np.float32)
    assert model(maps).shape == (2, 7, 10, channels)
    assert np.isfinite(model(maps)).all()


def test_context_gate_can_only_strengthen_a_channel():
    """ReLU(x + x g) with g from 0 to 1 is from ReLU(x) to 2 ReLU(x)."""
    x = keras.Input((None, None, 8))
    model = keras.Model(x, HEADS["cbp"](x))
    inner = keras.Model(x, model.get_layer("head_map_relu").output)
    maps = np.random.default_rng(1).normal(size=(1, 7, 10, 8)).astype(np.float32)
    ratio = model(maps).numpy()[inner(maps) > 0] / inner(maps).numpy()[inner(maps) > 0]
    assert ratio.min() > 1
    assert ratio.max() < 2


def test_unknown_head_is_told():
    with pytest.raises(ModelError, match="Did you mean 'cbp'"):
        build_fast_fcn(num_classes=2, head="cpb", **SMALL)
    with pytest.raises(ModelError, match=r"Pad the image to \(64, 64\)"):
        build_fast_fcn((40, 33, 1), num_classes=2, **SMALL)


@pytest.mark.slow
def test_resnet_gives_logits_of_the_image_size():
    model = build_fast_fcn(num_classes=3)
    assert model(np.zeros((1, 64, 96, 1), np.float32)).shape == (1, 64, 96, 3)


def test_its_layers_have_other_names_than_those_of_an_encoder():
    model = build_fast_fcn(
        num_classes=2, encoder="efficientnet_lite0", pyramid_filters=16
    )
    assert model.output_shape == (None, None, None, 2)
