import math

import keras
import pytest

from defectkeras.training.config import TrainingConfig
from defectkeras.training.schedule import learning_rate_at

CONFIG = TrainingConfig(
    epochs=5, steps_per_epoch=20, warmup_epochs=2, learning_rate=0.01
)


@pytest.mark.parametrize("step", [0, 10, 20, 39, 40, 55, 70, 99, 100])
def test_cosine_is_that_of_keras(step):
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=60, warmup_target=0.01, warmup_steps=40
    )
    assert learning_rate_at(CONFIG, step) == pytest.approx(
        float(schedule(step)), abs=1e-8
    )


@pytest.mark.parametrize("step", [0, 30, 100])
def test_poly_is_that_of_keras(step):
    schedule = keras.optimizers.schedules.PolynomialDecay(
        0.01, decay_steps=100, end_learning_rate=0.0, power=0.9
    )
    config = TrainingConfig(
        epochs=5,
        steps_per_epoch=20,
        warmup_epochs=0,
        learning_rate=0.01,
        schedule="poly",
    )
    assert learning_rate_at(config, step) == pytest.approx(
        float(schedule(step)), abs=1e-8
    )


def test_constant_stays_after_the_warmup():
    config = TrainingConfig(epochs=2, steps_per_epoch=4, schedule="constant")
    rates = [learning_rate_at(config, step) / config.learning_rate for step in range(8)]
    assert rates == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0]


def test_warmup_may_be_longer_than_the_run():
    config = TrainingConfig(epochs=1, steps_per_epoch=2, warmup_epochs=9)
    rates = [learning_rate_at(config, step) for step in range(3)]
    assert rates == [0.0, config.learning_rate, 0.0]


def test_a_single_step_is_taken():
    config = TrainingConfig(epochs=1, steps_per_epoch=1)
    assert math.isclose(learning_rate_at(config, 0), config.learning_rate)
