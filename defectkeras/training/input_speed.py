"""Whether the input pipeline keeps up with the training step."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from defectkeras.pipelines.input_pipeline import build_training_dataset
from defectkeras.training.config import TrainingConfig
from defectkeras.training.loop import Parts
from defectkeras.training.loss_scale import loss_scale_for
from defectkeras.training.strategy import Devices

WANTED_RATIO = 5.0
WANTED_WAIT = 0.02
ROUNDS = 3


@dataclass(frozen=True)
class InputSpeed:
    """How fast patches are made and used.

    Attributes:
        pipeline_patches_per_second: Made, while nothing else computes.
        step_patches_per_second: Used by the training step, while none are made.
        training_patches_per_second: Both at once, as in training.
        waiting_fraction: Part of the time that the step then waits, from 0 to 1.
    """

    pipeline_patches_per_second: float
    step_patches_per_second: float
    training_patches_per_second: float
    waiting_fraction: float

    @property
    def ratio(self) -> float:
        """How many times as fast as the step the pipeline is."""
        return self.pipeline_patches_per_second / self.step_patches_per_second


def measure_input_speed(
    parts: Parts, config: TrainingConfig, devices: Devices, *, steps: int = 10
) -> InputSpeed:
    """Measure pipeline and step alone and together, the best of three rounds.

    On a CPU both share the cores, so that training is slower than the step alone even
    where the step never waits.

    Args:
        parts: Model, step and training micrographs; the model is trained a little.
        config: The settings.
        devices: One device.
        steps: Training steps to measure; the pipeline makes four times as many
            batches.
    """
    count = config.accumulation_steps
    share = devices.share(config.batch_size, count)
    step = parts.step_for(0)
    scale = loss_scale_for(parts.model.dtype_policy.name).value

    def batches(number: int) -> Iterator[Any]:
        return iter(
            build_training_dataset(
                parts.training, config.pipeline(), steps=number, share=share
            )
        )

    def train(source: Iterator[Any]) -> None:
        gradients = step.gradients(source, count, scale)
        step.apply(gradients, config.learning_rate)

    def seconds_to_train(source: Iterator[Any]) -> float:
        train(source)  # compiles
        started = time.perf_counter()
        for _ in range(steps):
            train(source)
        return time.perf_counter() - started

    def measure() -> tuple[float, float, tuple[float, float]]:
        """Give the seconds of the pipeline, of the step, of both and of waiting."""
        source = batches(4 * steps + 1)
        one_batch = [next(source) for _ in range(count)]
        started = time.perf_counter()
        for _ in source:
            pass
        pipeline = time.perf_counter() - started
        alone = seconds_to_train(iter((1 + steps) * one_batch))
        waits: list[float] = []
        together = seconds_to_train(_timed(batches(1 + steps), waits))
        return pipeline, alone, (together, sum(waits[count:]))

    rounds = [measure() for _ in range(ROUNDS)]  # so that load falls on all alike
    pipelines, alones, togethers = zip(*rounds, strict=True)
    together, waiting = min(togethers)
    patches = steps * config.batch_size
    return InputSpeed(
        pipeline_patches_per_second=4 * patches / min(pipelines),
        step_patches_per_second=patches / min(alones),
        training_patches_per_second=patches / together,
        waiting_fraction=waiting / together,
    )


def _timed(source: Iterator[Any], waits: list[float]) -> Iterator[Any]:
    """Note how long each batch was waited for."""
    while True:
        started = time.perf_counter()
        try:
            batch = next(source)
        except StopIteration:
            return
        waits.append(time.perf_counter() - started)
        yield batch
