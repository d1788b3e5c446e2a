"""What the training step of each architecture does on a GPU.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --architectures defectsegnet encoder_unet
    python benchmarks/gpu.py --deterministic

Printed is the best of several steps in milliseconds, in each format, by TensorFlow's
kernels and by XLA, and what `training/kernels.py` and TensorFlow say of XLA. With
--deterministic: whether two runs of some steps give the same weights bit for bit, with
TensorFlow's deterministic operations, and what it refuses, beside what is foretold.
"""

import argparse
import time
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from defectkeras.losses import build_loss
from defectkeras.models.build import MODEL_BUILDERS, build_model
from defectkeras.training.config import TrainingConfig
from defectkeras.training.environment import make_deterministic
from defectkeras.training.kernels import (
    without_deterministic_kernel,
    without_xla_kernel,
)
from defectkeras.training.loss_scale import loss_scale_for
from defectkeras.training.optimizer import build_groups
from defectkeras.training.precision import gpu_capabilities, with_policy
from defectkeras.training.step import TrainingStep

CLASSES, WARM_UP, STEPS = 4, 2, 10
POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")
PATCH_CLASSIFIER = "patch_classifier"  # has no class map to learn from


class Timed:
    """A network with its step and one batch of random patches.

    Args:
        architecture: Its name.
        shape: (B, H, W) of the batch.
        policy: Keras dtype policy.
        jit: Whether XLA compiles the gradients.
    """

    def __init__(
        self, architecture: str, shape: tuple[int, int, int], policy: str, *, jit: bool
    ) -> None:
        keras.utils.set_random_seed(0)
        with with_policy(policy):
            model = build_model(architecture, num_classes=CLASSES)
        config = TrainingConfig(batch_size=shape[0], patch_size=shape[1])
        rng = np.random.default_rng(0)
        images = rng.uniform(size=(*shape, 1)).astype(np.float32)
        class_maps = rng.integers(CLASSES, size=shape).astype(np.int32)
        self.batch = tf.constant(images), tf.constant(class_maps)
        self.scale = loss_scale_for(policy).value
        self.step = TrainingStep(
            model,
            build_loss("0.5*ce + 0.5*dice", num_classes=CLASSES),
            build_groups(model, config),
            clip_norm=config.gradient_clip_norm,
            strategy=tf.distribute.get_strategy(),
            jit=jit,
        )

    def take(self) -> None:
        """Take one step."""
        gradients = self.step.gradients(iter([self.batch]), 1, self.scale)
        self.step.apply(gradients, 1e-4)

    def milliseconds(self) -> float:
        """Give the best of some steps; the loss is read, so each is waited for."""
        for _ in range(WARM_UP):
            self.take()
        times = []
        for _ in range(STEPS):
            started = time.perf_counter()
            self.take()
            times.append(1e3 * (time.perf_counter() - started))
        return min(times)

    def weights(self) -> np.ndarray:
        """Give all weights after some steps, as one array."""
        for _ in range(STEPS):
            self.take()
        return np.concatenate([w.ravel() for w in self.step.model.get_weights()])


def first_line(error: Exception) -> str:
    """Give the kind and the first line of an error."""
    return f"{type(error).__name__}: {str(error).splitlines()[0][:160]}"


def speed(architecture: str, shape: tuple[int, int, int]) -> Iterator[str]:
    """Tell the time of a step in each format, by both kinds of kernels."""
    foretold = without_xla_kernel(
        Timed(architecture, shape, "float32", jit=False).step.graph(shape)
    )
    yield f"without an XLA kernel: {', '.join(foretold) or 'none'}"
    for policy in POLICIES:
        for jit in (False, True):
            started = time.perf_counter()
            try:
                timed = Timed(architecture, shape, policy, jit=jit)
                best = f"{timed.milliseconds():.1f} ms"
            except (tf.errors.OpError, ValueError) as error:
                best = first_line(error)
            seconds = time.perf_counter() - started
            kernels = "XLA" if jit else "TensorFlow"
            yield f"{policy}, {kernels}: {best} ({seconds:.0f} s in all)"


def determinism(architecture: str, shape: tuple[int, int, int]) -> Iterator[str]:
    """Tell whether two runs are equal, and what is refused."""
    graph = Timed(architecture, shape, "float32", jit=False).step.graph(shape)
    foretold = without_deterministic_kernel(graph)
    yield f"without a deterministic kernel: {', '.join(foretold) or 'none'}"
    for policy in POLICIES[:2]:
        try:
            one, two = (
                Timed(architecture, shape, policy, jit=False).weights()
                for _ in range(2)
            )
        except (tf.errors.OpError, ValueError) as error:
            yield f"{policy}: {first_line(error)}"
        else:
            same = "equal" if one.tobytes() == two.tobytes() else "differ"
            yield f"{policy}: two runs {same}"


def main() -> None:
    """Print what the GPU does with each architecture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    networks = sorted(set(MODEL_BUILDERS) - {PATCH_CLASSIFIER})
    parser.add_argument(
        "--architectures", nargs="+", choices=networks, default=networks
    )
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--patch-size", type=int, default=256)
    parser.add_argument("--deterministic", action="store_true")
    arguments = parser.parse_args()
    print("Compute capability of the GPUs:", gpu_capabilities() or "there is none")
    if arguments.deterministic:
        make_deterministic()
    shape = (arguments.batch_size, arguments.patch_size, arguments.patch_size)
    tell = determinism if arguments.deterministic else speed
    for architecture in arguments.architectures:
        for line in tell(architecture, shape):
            print(f"{architecture}, {line}", flush=True)


if __name__ == "__main__":
    main()
