"""SegNet-Basic against the published counts and an own computation in NumPy."""

import numpy as np
import pytest
from scipy.ndimage import correlate

from defectkeras.models.segnet_basic import (
    LEVELS,
    RECEPTIVE_FIELD_PX,
    STRIDE,
    build_segnet_basic,
)


def test_published_counts():
    model = build_segnet_basic((None, None, 3), num_classes=11)
    found = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert (found, model.count_params()) == (1_416_587, 1_417_611)


def test_dropout_is_where_the_released_file_has_it():
    model = build_segnet_basic(num_classes=2, filters=2, bayesian=True)
    assert [x.name for x in model.layers if "dropout" in x.name] == [
        "encoder_3_dropout",
        "encoder_4_dropout",
        "decoder_4_dropout",
        "decoder_3_dropout",
    ]


def convolve_numpy(x, kernel, bias):
    maps = [
        sum(
            correlate(x[..., c], kernel[..., c, k], mode="constant")
            for c in range(x.shape[-1])
        )
        for k in range(kernel.shape[-1])
    ]
    return np.stack(maps, axis=-1) + bias


def normalize_numpy(x, gamma, beta, mean, variance):
    return gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta


def blocks_of(x):
    """View (H, W, C) as 2x2 blocks (H/2, W/2, 4, C)."""
    height, width, channels = x.shape
    blocks = x.reshape(height // 2, 2, width // 2, 2, channels)
    return blocks.transpose(0, 2, 1, 3, 4).reshape(height // 2, width // 2, 4, channels)


def unpool_numpy(x, places):
    height, width, channels = x.shape
    blocks = np.zeros((height, width, 4, channels))
    np.put_along_axis(blocks, places, x[:, :, None], axis=2)
    blocks = blocks.reshape(height, width, 2, 2, channels).transpose(0, 2, 1, 3, 4)
    return blocks.reshape(2 * height, 2 * width, channels)


def run_numpy(model, image):
    def weights(name):
        return [w.numpy().astype(float) for w in model.get_layer(name).weights]

    energy = np.stack(
        [
            (image[..., max(c - 2, 0) : c + 3] ** 2).sum(axis=-1)
            for c in range(image.shape[-1])
        ],
        axis=-1,
    )
    x = image / (1 + 1e-4 / 5 * energy) ** 0.75
    places = {}
    for level in range(1, LEVELS + 1):
        x = convolve_numpy(x, *weights(f"encoder_{level}_conv"))
        x = np.maximum(normalize_numpy(x, *weights(f"encoder_{level}_conv_norm")), 0)
        places[level] = blocks_of(x).argmax(axis=2)[:, :, None]
        x = blocks_of(x).max(axis=2)
    for level in range(LEVELS, 0, -1):
        x = convolve_numpy(
            unpool_numpy(x, places[level]), *weights(f"decoder_{level}_conv")
        )
        x = normalize_numpy(x, *weights(f"decoder_{level}_conv_norm"))
    return convolve_numpy(x, *weights("logits"))


def test_equals_an_implementation_in_numpy():
    model = build_segnet_basic((48, 64, 6), num_classes=3, filters=3)
    random = np.random.default_rng(5)
    for weight in model.weights:
        values = random.normal(0, 0.3, weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            values = random.uniform(0.5, 1.5, weight.shape)
        weight.assign(values)
    image = random.uniform(0, 255, (48, 64, 6))
    logits = model(image[None], training=False)[0].numpy()
    expected = run_numpy(model, image)
    assert np.abs(logits - expected).max() < 1e-4 * np.abs(expected).max()


def test_receptive_field():
    """Follow the rows that an output row depends on back through the layers."""
    reach = 0
    for row in range(40 * STRIDE, 41 * STRIDE):
        low = high = row
        for _ in range(LEVELS):
            low, high = (low - 3) // 2, (high + 3) // 2
        for _ in range(LEVELS):
            low, high = 2 * low - 3, 2 * high + 1 + 3
        reach = max(reach, row - low, high - row)
    assert 2 * reach + 1 == RECEPTIVE_FIELD_PX


def test_bad_numbers_are_told():
    with pytest.raises(ValueError, match="num_classes=0"):
        build_segnet_basic(num_classes=0)
