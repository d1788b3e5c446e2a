"""One process of a run that tests start: python worker.py FOLDER STRATEGY SETTINGS.

STRATEGY "mirrored" parts the CPU into two devices; "multiworker" reads TF_CONFIG;
"fit" reads it too and trains by `keras.Model.fit`.
"""

import json
import os
import signal
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from defectkeras.core.calibration import Calibration
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample
from defectkeras.training.config import TrainingConfig
from defectkeras.training.strategy import choose_devices
from defectkeras.training.train import train

SCHEME = LabelScheme((DefectClass(0, "m", "matrix"), DefectClass(1, "v", "region")))


def build_model() -> keras.Model:
    """A model with batch normalization; its convolutions have no bias before it,
    whose gradient would be rounding alone."""
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)(image)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.5)(x))
    return keras.Model(image, keras.layers.Conv2D(2, 3, padding="same")(x))


def draw_example() -> LoadedExample:
    """A noisy rectangle, with a part that is not annotated."""
    class_map = np.zeros((40, 56), np.int32)
    class_map[5:20, 9:30] = 1
    pixels = np.random.default_rng(0).normal(0, 0.3, (40, 56)) - class_map
    class_map[:, 44:] = -1
    return LoadedExample(Micrograph(pixels, Calibration(), "a"), class_map)


def main(folder: Path, strategy: str, settings: dict[str, int]) -> None:
    """Train; with "die_after" in the settings, end by SIGKILL after these steps."""
    if strategy == "mirrored":
        (cpu,) = tf.config.list_physical_devices("CPU")
        half = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(cpu, [half, half])
    die_after = settings.pop("die_after", 0)
    config = TrainingConfig(
        epochs=2,
        steps_per_epoch=3,
        patch_size=32,
        optimizer="sgd",
        learning_rate=0.1,
        gradient_clip_norm=0.3,
        ema_momentum=0.9,
        checkpoint_minutes=0,
        **{"batch_size": 4, **settings},
    )
    devices = choose_devices(strategy)
    with devices.strategy.scope():
        model = build_model()

    def on_progress(progress):
        steps = (progress.epoch - 1) * config.steps_per_epoch + progress.step
        if die_after and steps >= die_after:
            os.kill(os.getpid(), signal.SIGKILL)

    example = draw_example()
    train(
        model,
        [example],
        [example],
        SCHEME,
        config,
        run_folder=folder,
        resume=(folder / "checkpoint.npz").exists(),
        devices=devices,
        on_progress=on_progress,
    )
    sys.stdout.write(devices.reason)


def fit_with_keras() -> None:
    """Train as one would without our loop."""
    devices = choose_devices("multiworker")
    with devices.strategy.scope():
        model = build_model()
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    images, class_maps = np.zeros((4, 8, 12, 1), np.float32), np.zeros((4, 8, 12))
    model.fit(images, class_maps, batch_size=4, verbose=0)


if __name__ == "__main__":
    if sys.argv[2] == "fit":
        fit_with_keras()
        sys.exit()
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
