"""Measure unpooling against the algorithm of tensorflow-addons, in one run.

    python benchmarks/unpooling.py

Prints how many times as long the algorithm of tensorflow-addons takes (argmax over the
image, places multiplied out, one scatter), as plain TensorFlow operations in the same
process: for unpooling forward and backward, and for a training step of SegNet.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from defectkeras.losses import build_loss
from defectkeras.models import segnet
from defectkeras.models.layers import MaxPoolingWithIndices, MaxUnpooling2D


class ArgmaxPooling(keras.layers.Layer):
    """The pooling that tensorflow-addons' layer is used with."""

    def __init__(self, padding: str = "valid", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_jit = False

    def call(self, images: Any) -> Any:
        pooled, places = tf.nn.max_pool_with_argmax(images, 2, 2, "SAME")
        return pooled, tf.cast(places, tf.int32)

    def compute_output_spec(self, images: Any) -> Any:
        batch, height, width, channels = images.shape
        size = [None if side is None else side // 2 for side in (height, width)]
        shape = (batch, *size, channels)
        return (
            keras.KerasTensor(shape, dtype=self.compute_dtype),
            keras.KerasTensor(shape, dtype="int32"),
        )


class ScatterUnpooling(keras.layers.Layer):
    """The algorithm of tfa.layers.MaxUnpooling2D."""

    def __init__(self, padding: str = "valid", **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        values, places = inputs
        batch, rows, columns, channels = tf.unstack(tf.shape(values))
        height, width = 2 * rows, 2 * columns
        image = tf.ones_like(places) * tf.reshape(tf.range(batch), (-1, 1, 1, 1))
        y = places // (width * channels)
        x = (places // channels) % width
        channel = tf.ones_like(places) * tf.range(channels)
        indices = tf.transpose(tf.reshape(tf.stack([image, y, x, channel]), (4, -1)))
        shape = (batch, height, width, channels)
        return tf.scatter_nd(indices, tf.reshape(values, (-1,)), shape)

    def compute_output_spec(self, inputs: Any) -> Any:
        batch, rows, columns, channels = inputs[0].shape
        size = [None if side is None else 2 * side for side in (rows, columns)]
        shape = (batch, *size, channels)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)


def best_ms(run: Callable[[], Any], repeats: int) -> float:
    """Time the quickest of several runs after a first one."""
    run()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return 1e3 * min(times)


def unpooling_ms(
    pool: Any, unpool: Any, *, jit_compile: bool, repeats: int
) -> tuple[float, float]:
    """Time unpooling alone, and with its gradient, at 2 x 256 x 256 x 32."""
    images = tf.random.stateless_normal((2, 256, 256, 32), (1, 2))
    upstream = tf.random.stateless_normal((2, 256, 256, 32), (3, 4))
    values, places = pool(images)

    @tf.function(jit_compile=jit_compile)
    def forward() -> Any:
        return unpool([values * 1.0, places])

    @tf.function(jit_compile=jit_compile)
    def both() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(values)
            unpooled = unpool([values, places])
        return unpooled, tape.gradient(unpooled, values, upstream)

    return best_ms(forward, repeats), best_ms(both, repeats)


def training_step_ms(filters: int, repeats: int) -> float:
    """Time a training step of a SegNet on two patches of 256 x 256 px."""
    model = segnet.build_segnet(num_classes=3, filters=filters)
    loss = build_loss("ce", num_classes=3)
    model.compile("adam", loss, jit_compile=False)
    random = np.random.default_rng(1)
    images = random.random((2, 256, 256, 1), dtype=np.float32)
    class_map = random.integers(0, 3, (2, 256, 256))
    return best_ms(lambda: model.train_on_batch(images, class_map), repeats)


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--filters", type=int, default=16)
    arguments = parser.parse_args()
    repeats = arguments.repeats
    pool, unpool = (
        MaxPoolingWithIndices(padding="valid"),
        MaxUnpooling2D(padding="valid"),
    )
    theirs = unpooling_ms(
        ArgmaxPooling(), ScatterUnpooling(), jit_compile=False, repeats=repeats
    )
    ours = unpooling_ms(pool, unpool, jit_compile=False, repeats=repeats)
    compiled = unpooling_ms(pool, unpool, jit_compile=True, repeats=repeats)
    rows = [
        ("unpooling", theirs[0], ours[0]),
        ("unpooling and its gradient", theirs[1], ours[1]),
        ("the same, ours under XLA", theirs[1], compiled[1]),
    ]
    step = training_step_ms(arguments.filters, repeats)
    segnet.MaxPoolingWithIndices, segnet.MaxUnpooling2D = (
        ArgmaxPooling,
        ScatterUnpooling,
    )
    step_of_theirs = training_step_ms(arguments.filters, repeats)
    rows.append(("training step of SegNet", step_of_theirs, step))
    table = Table("", "addons, ms", "ours, ms", "ratio")
    for name, addons, own in rows:
        table.add_row(name, f"{addons:.1f}", f"{own:.1f}", f"{addons / own:.1f}")
    Console(width=80).print(table)


if __name__ == "__main__":
    main()
