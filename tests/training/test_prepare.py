import dataclasses

import keras
import numpy as np
import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.core.labels import LabelScheme
from defectkeras.pipelines.store import load_store
from defectkeras.training.config import TrainingConfig
from defectkeras.training.prepare import (
    build_parts,
    check_model,
    load_stores,
    main_head,
    resolve_class_weights,
)
from defectkeras.training.strategy import choose_devices

CONFIG = TrainingConfig(epochs=3, steps_per_epoch=4, batch_size=2, patch_size=32)


def build_two_heads():
    """An encoder, a main head, and an auxiliary one at half the resolution."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(4, 3, padding="same", name="encoder_conv")(image)
    x = keras.layers.MaxPooling2D(name="encoder_pool")(x)
    coarse = keras.layers.Conv2D(3, 1, dtype="float32", name="auxiliary_logits")(x)
    x = keras.layers.UpSampling2D()(x)
    logits = keras.layers.Conv2D(3, 3, padding="same", dtype="float32", name="logits")
    return keras.Model(image, [logits(x), coarse], name="two_heads")


@pytest.fixture(scope="module")
def stores(scheme, draw_example):
    return load_stores([draw_example((60, 84))], [draw_example((45, 61))], scheme)


def test_main_head_shares_the_weights(build_tiny_model):
    model = build_two_heads()
    head = main_head(model)
    assert head.output_shape == (None, None, None, 3)
    assert {id(v) for v in head.variables} < {id(v) for v in model.variables}
    alone = build_tiny_model()
    assert main_head(alone) is alone


def test_one_head_is_checked_and_predicted(stores, scheme):
    model = build_two_heads()
    check_model(model, scheme, CONFIG)
    parts = build_parts(model, stores, scheme, CONFIG, choose_devices("one"))
    image = np.zeros((1, 6, 8, 1), np.float32)
    class_map, probabilities = parts.forward(image)
    assert class_map.shape == (1, 6, 8)
    assert probabilities.shape[:3] == (1, 6, 8)
    assert parts.stride == 2
    assert len(parts.variables["model"]) == len(model.variables) == 6


def test_encoder_is_frozen_for_the_first_epochs(stores, scheme):
    model = build_two_heads()
    config = dataclasses.replace(CONFIG, frozen_epochs=2)
    parts = build_parts(model, stores, scheme, config, choose_devices("one"))
    names = [
        [v.path.split("/")[0] for v in parts.step_for(epoch).variables]
        for epoch in range(3)
    ]
    assert names[0] == names[1] == ["logits"] * 2 + ["auxiliary_logits"] * 2
    assert names[2] == [*names[0], "encoder_conv", "encoder_conv"]
    assert parts.step_for(0) is parts.step_for(1)


def test_average_is_of_batch_statistics_too(stores, scheme, build_tiny_model):
    model = build_tiny_model(middle=keras.layers.BatchNormalization())
    config = dataclasses.replace(CONFIG, ema_momentum=0.9)
    parts = build_parts(model, stores, scheme, config, choose_devices("one"))
    names = {v.path.split("/")[-1] for v in parts.average.variables}
    assert names == {
        "kernel",
        "bias",
        "gamma",
        "beta",
        "moving_mean",
        "moving_variance",
    }


def test_batch_that_does_not_part_is_told_before_training(stores, scheme):
    config = dataclasses.replace(CONFIG, accumulation_steps=4)
    with pytest.raises(TrainingError, match="`batch_size` must be a multiple"):
        build_parts(build_two_heads(), stores, scheme, config, choose_devices("one"))


def test_class_weights_follow_their_rule(scheme, draw_example):
    store = load_store([draw_example()], scheme)
    counts = store.class_counts[0]
    frequency = counts / counts.sum()
    expected = np.clip(np.median(frequency) / frequency, 1 / 3, 3)
    config = dataclasses.replace(
        CONFIG, class_weights="median_frequency", class_weight_cap=3.0
    )
    np.testing.assert_allclose(resolve_class_weights(config, store), expected)
    assert resolve_class_weights(CONFIG, store) is None
    given = dataclasses.replace(CONFIG, class_weights=(1.0, 2.0, 3.0))
    assert resolve_class_weights(given, store) == (1.0, 2.0, 3.0)


def test_cldice_knows_the_lines_of_the_scheme(stores, scheme):
    config = dataclasses.replace(CONFIG, loss="dice + 0.5*cldice")
    devices = choose_devices("one")
    parts = build_parts(build_two_heads(), stores, scheme, config, devices)
    assert parts.step_for(0).loss.losses[1].classes == (2,)
    no_lines = LabelScheme(scheme.classes[:2])
    with pytest.raises(TrainingError, match='"cldice" must have line classes'):
        build_parts(build_two_heads(), stores, no_lines, config, devices)
