"""Measure the training step of DefectSegNet against its alternatives, in one run.

python benchmarks/training_step.py

Ratios of the best of several, taken in turns: bfloat16 against float32; our step
and input pipeline against `model.fit` on a NumPy generator; two CPU devices, each
with half of the batch, against one.
"""

import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from training_input import SCHEME, draw_store

from defectkeras.losses import build_loss
from defectkeras.models import build_model
from defectkeras.pipelines.input_pipeline import build_training_dataset
from defectkeras.pipelines.store import ImageStore
from defectkeras.training.config import TrainingConfig
from defectkeras.training.optimizer import synchronize_batch_norms
from defectkeras.training.prepare import build_parts
from defectkeras.training.step_time import step_seconds
from defectkeras.training.strategy import Devices, choose_devices

CONFIG = TrainingConfig(batch_size=4, patch_size=128, epochs=1, steps_per_epoch=1000)
ROUNDS, STEPS = 4, 4


def build() -> keras.Model:
    """Build the network that is measured."""
    return build_model("defectsegnet", num_classes=2)


def our_steps(store: ImageStore, devices: Devices) -> Callable[[], None]:
    """Give a function that takes some steps with our loop's parts."""
    with devices.strategy.scope():
        model = build()
    synchronize_batch_norms(model, devices.replicas > 1)
    stores = {"train": store, "val": store}
    step = build_parts(model, stores, SCHEME, CONFIG, devices).step_for(0)
    batches = iter(
        devices.strategy.distribute_datasets_from_function(
            lambda context: build_training_dataset(
                store,
                CONFIG.pipeline(),
                steps=CONFIG.steps_per_epoch,
                share=devices.share(CONFIG.batch_size, 1),
            )
        )
    )

    def run() -> None:
        for _ in range(STEPS):
            step.apply(step.gradients(batches, 1, 1.0), CONFIG.learning_rate)

    return run


def fit_steps(store: ImageStore) -> Callable[[], None]:
    """Give a function that takes some steps by `model.fit` on a NumPy generator."""
    model = build()
    optimizer = keras.optimizers.AdamW(global_clipnorm=1.0)
    model.compile(optimizer, build_loss("ce", num_classes=2), jit_compile=False)
    patches = build_patches(store)

    def run() -> None:
        model.fit(patches, steps_per_epoch=STEPS, epochs=1, verbose=0)

    return run


def build_patches(store: ImageStore) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut random patches, turned and mirrored, without any other augmentation."""
    rng, side = np.random.default_rng(0), CONFIG.patch_size
    examples = [store.example(index) for index in range(len(store))]
    while True:
        images, class_maps = [], []
        for _ in range(CONFIG.batch_size):
            image, class_map = examples[rng.integers(len(examples))]
            top, left = (rng.integers(size - side) for size in image.shape)
            window = slice(top, top + side), slice(left, left + side)
            turns = int(rng.integers(4))
            images.append(np.rot90(image[window], turns)[..., None])
            class_maps.append(np.rot90(class_map[window], turns))
        yield np.stack(images), np.stack(class_maps)


def best_seconds(*functions: Callable[[], None]) -> list[float]:
    """Give the best time of each, taken in turns after a first call of each."""
    for function in functions:
        function()
    times = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, seconds in zip(functions, times, strict=True):
            started = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - started)
    return [min(seconds) for seconds in times]


def main() -> None:
    """Print the ratios."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [half, half])
    store = draw_store()
    one, two = choose_devices("one"), choose_devices("mirrored")
    ours, fit, mirrored = best_seconds(
        our_steps(store, one), fit_steps(store), our_steps(store, two)
    )
    print(f"one step, DefectSegNet, 4 x 128 x 128: {ours / STEPS:.3f} s")
    print(f"model.fit on a NumPy generator: {fit / ours:.2f} times as long")
    print(f"two CPU devices: {mirrored / ours:.2f} times as long")
    policies = ("float32", "mixed_bfloat16")
    times = [[step_seconds(build, CONFIG, p) for p in policies] for _ in range(2)]
    single, brain = np.min(times, axis=0)
    print(f"bfloat16: {brain / single:.2f} times as long as float32")


if __name__ == "__main__":
    main()
