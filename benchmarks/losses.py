"""How long each loss takes, forward and gradient, against cross-entropy.

    python benchmarks/losses.py

Ratios of one run, best of several: the seconds of a shared machine say little.
"""

import time

import numpy as np
import tensorflow as tf
from scipy.ndimage import gaussian_filter

from defectkeras.losses import build_loss
from defectkeras.losses.expression import LOSSES

SHAPE, NUM_CLASSES, REPEATS = (8, 256, 256), 4, 5


def draw_batch():
    """Give smooth patches of three classes, and random logits."""
    rng = np.random.default_rng(0)
    hills = gaussian_filter(rng.normal(size=SHAPE), (0, 6, 6))
    limits = np.quantile(hills, [0.9, 0.95, 0.98])
    logits = rng.normal(size=(*SHAPE, NUM_CLASSES)).astype(np.float32)
    return tf.constant(np.digitize(hills, limits), tf.int32), tf.constant(logits)


def compile_step(expression, jit_compile):
    loss = build_loss(expression, num_classes=NUM_CLASSES, line_classes=(1,))

    @tf.function(jit_compile=jit_compile)
    def step(class_map, logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(class_map, logits)
        return tape.gradient(value, logits)

    return step


def main():
    batch = draw_batch()
    for jit_compile in (False, True):
        steps = {name: compile_step(name, jit_compile) for name in sorted(LOSSES)}
        best = dict.fromkeys(steps, np.inf)
        for repeat in range(REPEATS + 1):  # the first compiles
            for name, step in steps.items():
                start = time.perf_counter()
                step(*batch).numpy()
                if repeat:
                    best[name] = min(best[name], time.perf_counter() - start)
        print(f"XLA {'on' if jit_compile else 'off'}, times ce:")
        for name, seconds in best.items():
            print(f"  {name:<14}{seconds / best['ce']:6.1f}")


if __name__ == "__main__":
    main()
