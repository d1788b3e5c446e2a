import math

import keras
import numpy as np
import pytest

from defectkeras.training.config import TrainingConfig
from defectkeras.training.optimizer import build_optimizer

CONFIG = TrainingConfig(
    epochs=5, steps_per_epoch=20, warmup_epochs=2, learning_rate=0.01
)


def rate_at(config, step):
    optimizer = build_optimizer(config)
    optimizer.iterations.assign(step)
    return float(optimizer.learning_rate)


@pytest.mark.parametrize("step", [0, 10, 20, 39, 40, 55, 70, 99, 100])
def test_rate_rises_and_follows_the_cosine(step):
    if step < 40:
        expected = 0.01 * step / 40
    else:
        expected = 0.005 * (1 + math.cos(math.pi * (step - 40) / 60))
    assert rate_at(CONFIG, step) == pytest.approx(expected, abs=1e-8)


def test_without_warmup_it_starts_at_the_top():
    config = TrainingConfig(warmup_epochs=0, learning_rate=0.01)
    assert rate_at(config, 0) == pytest.approx(0.01)


def test_warmup_may_be_longer_than_the_run():
    config = TrainingConfig(epochs=1, steps_per_epoch=2, warmup_epochs=9)
    rates = [rate_at(config, step) for step in range(3)]
    assert rates[0] == 0
    assert rates[1] == pytest.approx(config.learning_rate)


def test_a_single_step_is_taken():
    config = TrainingConfig(epochs=1, steps_per_epoch=1)
    assert rate_at(config, 0) == pytest.approx(config.learning_rate)


def test_biases_and_scales_do_not_decay():
    layers = [keras.layers.Conv2D(2, 3), keras.layers.BatchNormalization()]
    model = keras.Sequential([keras.Input((8, 9, 1)), *layers])
    config = TrainingConfig(weight_decay=0.5, warmup_epochs=0, learning_rate=0.1)
    optimizer = build_optimizer(config)
    variables = model.trainable_variables
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    optimizer.apply([np.zeros(v.shape, np.float32) for v in variables], variables)
    means = {v.name: float(np.mean(v.numpy())) for v in variables}
    assert means["kernel"] == pytest.approx(0.95)
    assert means["bias"] == means["gamma"] == means["beta"] == 1.0


def test_gradients_are_clipped_together():
    assert build_optimizer(CONFIG).global_clipnorm == CONFIG.gradient_clip_norm
