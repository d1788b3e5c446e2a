"""Measure the input pipeline against the training step, and each augmentation.

python benchmarks/training_input.py
"""

import dataclasses
import time
from collections.abc import Iterator

import numpy as np

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample
from defectkeras.losses import build_loss
from defectkeras.models import build_model
from defectkeras.pipelines.augment import NO_AUGMENTATION, Augmentation
from defectkeras.pipelines.input_pipeline import (
    PipelineConfig,
    build_training_dataset,
)
from defectkeras.pipelines.store import ImageStore, load_store

SCHEME = LabelScheme(
    (DefectClass(0, "matrix", "matrix"), DefectClass(1, "void", "region"))
)
SHAPE = (512, 640)


def draw_store() -> ImageStore:
    """Draw four noisy micrographs with one disc each."""
    rows, columns = np.indices(SHAPE)
    class_map = ((rows - 200) ** 2 + (columns - 300) ** 2 < 40**2).astype(np.int32)
    examples = []
    for seed in range(4):
        noise = np.random.default_rng(seed).normal(0, 0.1, SHAPE)
        micrograph = Micrograph(noise - class_map, Calibration(), f"field_{seed}")
        examples.append(LoadedExample(micrograph, class_map))
    return load_store(examples, SCHEME)


def only(**steps: object) -> Augmentation:
    """Give an augmentation with these steps and no others."""
    return dataclasses.replace(NO_AUGMENTATION, **steps)


AUGMENTATIONS = {
    "none": NO_AUGMENTATION,
    "symmetries": only(symmetries="square"),
    "gain, offset, gamma": only(gain=0.2, offset=0.1, gamma=0.3),
    "inversion": only(inversion_probability=0.5),
    "noise": only(noise=0.04),
    "blur of every patch": only(blur_probability=1.0),
    "poisson": only(poisson=0.01),
    "scan_jitter_px": only(scan_jitter_px=1.0),
    "charging": only(charging=0.2),
    "elastic_px": only(elastic_px=4.0),
    "scale_range": only(scale_range=(0.8, 1.25)),
    "default": Augmentation(),
    "default and scale_range": Augmentation(scale_range=(0.8, 1.25)),
    "all": Augmentation(
        inversion_probability=0.5,
        poisson=0.01,
        scan_jitter_px=1.0,
        charging=0.2,
        elastic_px=4.0,
        scale_range=(0.8, 1.25),
    ),
}
BATCHES, ROUNDS = 10, 5


def drain(batches: Iterator[object]) -> tuple[float, float]:
    """Take some batches; give the time, and that of all processors, in seconds."""
    clocks = time.perf_counter, time.process_time
    started = [clock() for clock in clocks]
    for _ in range(BATCHES):
        next(batches)
    return clocks[0]() - started[0], clocks[1]() - started[1]


def measure(store: ImageStore, config: PipelineConfig) -> dict[str, np.ndarray]:
    """Give both times of a batch under each augmentation, the best of some rounds."""
    times = {name: [] for name in AUGMENTATIONS}
    for _ in range(ROUNDS):  # in turns, so that load falls on all of them
        for name, augmentation in AUGMENTATIONS.items():
            row = dataclasses.replace(config, augmentation=augmentation)
            batches = iter(build_training_dataset(store, row, steps=2 * BATCHES))
            drain(batches)  # those that are prefetched, too
            times[name].append(drain(batches))
    return {name: np.min(rows, axis=0) / BATCHES for name, rows in times.items()}


def step_seconds(store: ImageStore, config: PipelineConfig) -> float:
    """Train DefectSegNet on one batch, again and again; give the best time."""
    model = build_model("defectsegnet", num_classes=2)
    model.compile("adamw", build_loss("ce", num_classes=2), jit_compile=False)
    image, class_map = next(iter(build_training_dataset(store, config, steps=1)))
    model.train_on_batch(image, class_map)
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        model.train_on_batch(image, class_map)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    """Print patches per second, and what each augmentation costs."""
    store, config = draw_store(), PipelineConfig()
    step = step_seconds(store, config)
    print(f"training step, DefectSegNet: {config.batch_size / step:.1f} patches/s")
    times = measure(store, config)
    for name, (seconds, processor_seconds) in times.items():
        print(
            f"{name:24} {config.batch_size / seconds:6.0f} patches/s, "
            f"{step / seconds:5.0f} x the step, "
            f"{processor_seconds / times['none'][1]:5.2f} x the work without"
        )


if __name__ == "__main__":
    main()
