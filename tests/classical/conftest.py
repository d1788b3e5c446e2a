"""Drawn micrographs: defects of known place on a grey matrix with noise."""

from collections.abc import Callable

import numpy as np
import pytest

from defectkeras.prediction.predict import predict_image

SHAPE = (150, 190)


@pytest.fixture
def discs():
    """Give discs of radius 5 to 12 px: (H, W)."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    mask = np.zeros(SHAPE, dtype=np.bool_)
    for row, column, radius in [(30, 40, 5), (75, 130, 8), (110, 50, 12)]:
        mask |= (y - row) ** 2 + (x - column) ** 2 <= radius**2
    return mask


@pytest.fixture
def lines():
    """Give two lines, 4 to 5 px wide: (H, W)."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (np.abs(y - 0.5 * x - 20) < 2.5) | (np.abs(x - 150) < 2.5)


@pytest.fixture
def draw() -> Callable:
    """Give a function that draws a mask as an image (H, W) in [0, 1]."""

    def draw_mask(mask, *, polarity="bright", noise=0.03, shade=0.0):
        rng = np.random.default_rng(1)
        sign = 1 if polarity == "bright" else -1
        grey = 0.5 + sign * 0.3 * mask + rng.normal(0, noise, mask.shape)
        grey = grey + shade * np.linspace(-0.5, 0.5, mask.shape[1])
        return np.clip(grey, 0, 1).astype(np.float32)

    return draw_mask


@pytest.fixture
def iou_of() -> Callable:
    """Give a function that predicts an image tile by tile and compares masks."""

    def iou_of_prediction(predict_fn, image, mask):
        predicted = predict_image(predict_fn, image, num_classes=2).class_map == 1
        return (predicted & mask).sum() / (predicted | mask).sum()

    return iou_of_prediction
