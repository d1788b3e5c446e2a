"""Patches made and used per second, of a tiny model."""

import pytest

from defectkeras.pipelines.augment import NO_AUGMENTATION
from defectkeras.training.config import TrainingConfig
from defectkeras.training.input_speed import InputSpeed, measure_input_speed
from defectkeras.training.prepare import build_parts, load_stores
from defectkeras.training.strategy import choose_devices


@pytest.mark.parametrize("accumulation_steps", [1, 2])
def test_speeds_are_measured(
    build_tiny_model, draw_example, scheme, accumulation_steps
):
    config = TrainingConfig(
        batch_size=4,
        patch_size=32,
        accumulation_steps=accumulation_steps,
        augmentation=NO_AUGMENTATION,
    )
    devices = choose_devices("one")
    stores = load_stores([draw_example()], [draw_example()], scheme)
    parts = build_parts(build_tiny_model(), stores, scheme, config, devices)
    speed = measure_input_speed(parts, config, devices, steps=2)
    assert speed.pipeline_patches_per_second > 0
    assert speed.step_patches_per_second > 0
    assert speed.training_patches_per_second > 0
    assert 0 <= speed.waiting_fraction <= 1


def test_ratio_tells_how_far_ahead_the_pipeline_is():
    assert InputSpeed(50.0, 10.0, 9.0, 0.01).ratio == 5
