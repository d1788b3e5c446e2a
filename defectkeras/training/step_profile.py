"""A profile of a few training steps, for TensorBoard's profile plugin (xprof)."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import tensorflow as tf

FIRST_STEP = 2  # of this process; the one before compiles
NUM_STEPS = 3

OfStep: TypeAlias = Callable[[], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def profile_steps(logs: Path, is_on: bool) -> Iterator[OfStep]:
    """Profile the second to the fourth step that this process takes.

    TensorFlow writes `plugins/profile/<time>/<host>.xplane.pb` below the folder. A
    run that ends before leaves the steps that it took.

    Args:
        logs: Folder of the log.
        is_on: Whether anything is profiled.

    Returns:
        What every step runs in, one after another.
    """
    taken, is_running = 0, False

    def stop() -> None:
        nonlocal is_running
        if is_running:
            tf.profiler.experimental.stop()
            is_running = False

    @contextlib.contextmanager
    def of_step() -> Iterator[None]:
        nonlocal taken, is_running
        taken += 1
        if is_on and taken == FIRST_STEP:
            tf.profiler.experimental.start(str(logs))
            is_running = True
        if is_running:
            with tf.profiler.experimental.Trace("train", step_num=taken, _r=1):
                yield
        else:
            yield
        if taken == FIRST_STEP + NUM_STEPS - 1:
            stop()

    try:
        yield of_step
    finally:
        stop()
