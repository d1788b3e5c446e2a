"""Measure the input pipeline against the training step, in one run.

python benchmarks/training_input.py
"""

import dataclasses
import time

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


def patches_per_second(store: ImageStore, config: PipelineConfig) -> float:
    """Drain 40 batches after the first one."""
    batches = iter(build_training_dataset(store, config, steps=41))
    next(batches)
    started = time.perf_counter()
    count = sum(1 for _ in batches)
    return count * config.batch_size / (time.perf_counter() - started)


def steps_per_second(store: ImageStore, config: PipelineConfig) -> float:
    """Train DefectSegNet on one batch, again and again."""
    model = build_model("defectsegnet", num_classes=2)
    model.compile("adamw", build_loss("ce", num_classes=2), jit_compile=False)
    image, class_map = next(iter(build_training_dataset(store, config, steps=1)))
    model.train_on_batch(image, class_map)
    started = time.perf_counter()
    for _ in range(5):
        model.train_on_batch(image, class_map)
    return 5 / (time.perf_counter() - started)


def main() -> None:
    """Print patches per second and the ratio."""
    store = draw_store()
    augmentations = {
        "no augmentation": NO_AUGMENTATION,
        "default augmentation": Augmentation(),
        "default and scale": Augmentation(scale_range=(0.8, 1.25)),
    }
    config = PipelineConfig()
    step = config.batch_size * steps_per_second(store, config)
    print(f"training step, DefectSegNet, 8 x 256 x 256: {step:.1f} patches/s")
    for name, augmentation in augmentations.items():
        row = dataclasses.replace(config, augmentation=augmentation)
        rate = patches_per_second(store, row)
        print(f"pipeline, {name}: {rate:.0f} patches/s, {rate / step:.0f} x the step")


if __name__ == "__main__":
    main()
