"""Measure a sliding window against the fully convolutional form, on equal weights.

python benchmarks/sliding_window.py
"""

import time
from collections.abc import Callable

import keras
import numpy as np
from numpy.typing import NDArray

from defectkeras.models.patch_classifier import (
    build_patch_classifier,
    build_window_classifier,
)
from defectkeras.prediction.sliding_window import slide_window

PATCH_SIZE = 45
FILTERS = 16
SIDES = (16, 32, 64, 128, 256, 512)

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def build_both() -> tuple[Predict, Predict]:
    """Build both forms with the same random weights."""
    keras.utils.set_random_seed(1)
    arguments = {"num_classes": 3, "patch_size": PATCH_SIZE, "filters": FILTERS}
    image_form = build_patch_classifier(**arguments)
    window_form = build_window_classifier(**arguments)
    window_form.set_weights(image_form.get_weights())
    slide = slide_window(
        lambda windows: window_form.predict_on_batch(windows)[:, 0, 0],
        patch_size=PATCH_SIZE,
    )
    return slide, image_form.predict_on_batch


def seconds(predict: Predict, image: NDArray[np.float32], repeats: int) -> float:
    """Give the least of some times, after one that is not counted."""
    predict(image)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        predict(image)
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Print both times and their ratio for images of growing size."""
    slide, at_once = build_both()
    print(f"window {PATCH_SIZE} x {PATCH_SIZE} px, {FILTERS} filters, equal weights")
    print(
        "| image | sliding window | fully convolutional | ratio | largest difference |"
    )
    print("|---|--:|--:|--:|--:|")
    for side in SIDES:
        shape = (1, side, side + side // 2, 1)
        image = np.random.default_rng(side).random(shape, dtype=np.float32)
        difference = float(np.abs(slide(image) - at_once(image)).max())
        if difference > 1e-4:
            raise SystemExit(f"The forms must agree. Received: {difference=}.")
        slow, fast = seconds(slide, image, 2), seconds(at_once, image, 5)
        print(
            f"| {shape[1]} x {shape[2]} | {slow:.3f} s | {fast:.4f} s | "
            f"{slow / fast:.0f} | {difference:.0e} |"
        )


if __name__ == "__main__":
    main()
