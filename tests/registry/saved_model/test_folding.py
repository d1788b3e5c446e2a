"""A folded model is the same function with fewer weights."""

import keras
import numpy as np
import pytest

from defectkeras.models import build_model
from defectkeras.models.ensemble import build_ensemble
from defectkeras.registry.saved_model.folding import fold_batch_norms

LAYERS = keras.layers


def randomize(model, seed=0):
    """Give every weight a value, variances above 0."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        low = 0.3 if weight.name in ("moving_variance", "gamma") else -0.6
        weight.assign(random.uniform(low, 0.9, weight.shape))
    return model


def norms_of(model):
    layers = model._flatten_layers(include_self=False, recursive=True)
    return sum(isinstance(layer, LAYERS.BatchNormalization) for layer in layers)


def assert_same(model, folded, atol=1e-5):
    image = np.random.default_rng(1).random((2, 24, 40, model.input_shape[-1]))
    image = image.astype(np.float32)
    expected = model(image, training=False).numpy()
    assert expected.std() > 0.01
    np.testing.assert_allclose(folded(image, training=False), expected, atol=atol)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize(
    "conv",
    [
        lambda **o: LAYERS.Conv2D(5, 3, strides=2, padding="same", **o),
        lambda **o: LAYERS.Conv2DTranspose(5, 2, strides=2, **o),
        lambda **o: LAYERS.DepthwiseConv2D(3, depth_multiplier=2, **o),
        lambda **o: LAYERS.Conv2D(6, 3, groups=2, dilation_rate=2, **o),
    ],
    ids=["conv", "transposed", "depthwise", "grouped"],
)
def test_each_convolution_is_folded(conv, use_bias):
    image = keras.Input((None, None, 4))
    x = LAYERS.BatchNormalization(scale=use_bias)(conv(use_bias=use_bias)(image))
    model = randomize(keras.Model(image, LAYERS.ReLU()(x)))
    folded = fold_batch_norms(model)
    assert norms_of(folded) == 0
    assert_same(model, folded)


def test_what_cannot_be_folded_stays():
    image = keras.Input((None, None, 4))
    normalized = LAYERS.BatchNormalization(name="of_image")(image)
    active = LAYERS.Conv2D(4, 3, activation="relu", padding="same")(normalized)
    after_activation = LAYERS.BatchNormalization(name="after_relu")(active)
    shared = LAYERS.Conv2D(4, 3, padding="same")(after_activation)
    read_twice = LAYERS.BatchNormalization(name="read_twice")(shared)
    joined = LAYERS.Add()([read_twice, shared])
    model = randomize(keras.Model(image, joined))
    folded = fold_batch_norms(model)
    assert norms_of(folded) == 3
    assert_same(model, folded)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_defect_seg_net(variant):
    keras.utils.set_random_seed(2)
    model = build_model("defectsegnet", num_classes=3, variant=variant)
    for weight in model.weights:
        if weight.name == "moving_variance":
            weight.assign(np.random.default_rng(3).uniform(0.5, 2, weight.shape))
    folded = fold_batch_norms(model)
    assert_same(model, folded)
    expected = {"paper": 3, "released": 20}[variant]  # after pools, or activations
    assert norms_of(folded) <= expected
    assert folded.count_params() <= model.count_params()
    again = model(np.ones((1, 16, 24, 1), np.float32), training=False)
    assert np.isfinite(again).all(), "the model itself is unchanged"


def test_mixed_precision_can_be_left():
    image = keras.Input((None, None, 1))
    x = LAYERS.Conv2D(4, 3, dtype="mixed_bfloat16")(image)
    x = LAYERS.BatchNormalization(dtype="mixed_bfloat16")(x)
    model = randomize(keras.Model(image, x))
    folded = fold_batch_norms(model, dtype="float32")
    pixels = np.random.default_rng(1).random((1, 8, 12, 1)).astype(np.float32)
    assert folded(pixels).dtype == "float32"
    np.testing.assert_allclose(folded(pixels), model(pixels), atol=0.05)


def test_members_of_an_ensemble_are_folded():
    members = []
    for seed in (1, 2):
        image = keras.Input((None, None, 1))
        x = LAYERS.Conv2D(4, 3, padding="same", dtype="mixed_bfloat16")(image)
        x = LAYERS.BatchNormalization(dtype="mixed_bfloat16")(x)
        logits = LAYERS.Conv2D(3, 1, dtype="float32")(LAYERS.ReLU()(x))
        members.append(randomize(keras.Model(image, logits), seed))
    ensemble = build_ensemble(members)
    assert_same(ensemble, fold_batch_norms(ensemble), atol=0.05)
    folded = fold_batch_norms(ensemble, dtype="float32")
    assert (norms_of(ensemble), norms_of(folded)) == (2, 0)
    layers = folded._flatten_layers(include_self=False, recursive=True)
    assert {layer.compute_dtype for layer in layers} == {"float32"}
    assert_same(ensemble, folded, atol=0.05)
