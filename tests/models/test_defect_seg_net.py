"""DefectSegNet against the published table and an own NumPy implementation."""

from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.ndimage import correlate

from defectkeras.models.defect_seg_net import (
    NORM_EPSILON,
    RECEPTIVE_FIELD_PX,
    build_defect_seg_net,
)

# Layer, operation, output channels, tensors read, input channels, size for an
# input of 512, parameters of the convolution, gamma and beta: the released table.
TABLE = [
    ("dense_block_1_conv_1", "conv", 4, [0], 1, 512, 40, 8),
    ("dense_block_1_conv_2", "conv", 4, [0, 1], 5, 512, 184, 8),
    ("pool_1", "pool", 9, [0, 1, 2], 9, 256, 0, 18),
    ("dense_block_2_conv_1", "conv", 16, [3], 9, 256, 1312, 32),
    ("dense_block_2_conv_2", "conv", 16, [3, 4], 25, 256, 3616, 32),
    ("pool_2", "pool", 41, [3, 4, 5], 41, 128, 0, 82),
    ("dense_block_3_conv_1", "conv", 32, [6], 41, 128, 11840, 64),
    ("dense_block_3_conv_2", "conv", 32, [6, 7], 73, 128, 21056, 64),
    ("pool_3", "pool", 105, [6, 7, 8], 105, 64, 0, 210),
    ("dense_block_4_conv_1", "conv", 64, [9], 105, 64, 60544, 128),
    ("dense_block_4_conv_2", "conv", 64, [9, 10], 169, 64, 97408, 128),
    ("upsample_1", "tconv", 32, [9, 10, 11], 233, 128, 29856, 64),
    ("dense_block_5_conv_1", "conv", 32, [6, 7, 8, 12], 137, 128, 39488, 64),
    ("dense_block_5_conv_2", "conv", 32, [6, 7, 8, 12, 13], 169, 128, 48704, 64),
    ("upsample_2", "tconv", 16, [6, 7, 8, 12, 13, 14], 201, 256, 12880, 32),
    ("dense_block_6_conv_1", "conv", 16, [3, 4, 5, 15], 57, 256, 8224, 32),
    ("dense_block_6_conv_2", "conv", 16, [3, 4, 5, 15, 16], 73, 256, 10528, 32),
    ("upsample_3", "tconv", 8, [3, 4, 5, 15, 16, 17], 89, 512, 2856, 16),
    ("dense_block_7_conv_1", "conv", 4, [0, 1, 2, 18], 17, 512, 616, 8),
    ("output_conv", "output", 1, [0, 1, 2, 18, 19], 21, 512, 190, 2),
]
VARIANTS = ["paper", "released"]


def norm_name(layer):
    return "logits" if layer == "output_conv" else f"{layer}_norm"


def test_table_in_the_docs_is_this_table():
    pages = Path(__file__).parents[2] / "docs" / "models.md"
    rows = [line.split("|")[1:-1] for line in pages.read_text().splitlines()]
    rows = [[cell.strip(" `") for cell in row] for row in rows if len(row) == 9]
    numbered = [row for row in rows if row[0].isdigit()]
    sizes = {"H": 512, "H/2": 256, "H/4": 128, "H/8": 64}
    for row, (name, _, channels, *facts) in zip(numbered, TABLE, strict=True):
        reads, channels_in, size, parameters, norm = facts
        assert row[1] == name
        assert row[3] == ", ".join(map(str, reads))
        assert [int(row[4]), int(row[5]), sizes[row[6]]] == [
            channels_in,
            channels,
            size,
        ]
        assert [int(cell.replace(",", "")) for cell in row[7:]] == [parameters, norm]


def count(layer, weights):
    return sum(int(np.prod(w.shape)) for w in getattr(layer, weights))


def randomize(model, seed=5):
    """Set every weight, and the averages of the normalizations, to its own number."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        scale = 1 / np.sqrt(max(np.prod(weight.shape[:-1]), 1))
        values = rng.normal(0, scale, weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            values = rng.uniform(0.5, 1.5, weight.shape)
        weight.assign(values)
    return model


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_layer_is_as_in_the_table(variant):
    model = build_defect_seg_net((512, 512, 1), num_classes=1, variant=variant)
    for name, operation, channels, _, read, size, parameters, norm in TABLE:
        layer, normalization = model.get_layer(name), model.get_layer(norm_name(name))
        assert layer.output.shape[1:] == (size, size, channels), name
        assert layer.input.shape[-1] == read, name
        assert count(layer, "trainable_weights") == parameters, name
        assert count(normalization, "trainable_weights") == norm, name
        assert normalization.epsilon == 1e-3
        kind = {
            "pool": keras.layers.MaxPooling2D,
            "tconv": keras.layers.Conv2DTranspose,
        }
        assert isinstance(layer, kind.get(operation, keras.layers.Conv2D))
    assert count(model, "trainable_weights") == 350_430
    assert model.count_params() == 351_518


@pytest.mark.parametrize(
    ("variant", "momentum", "relus", "mirrors"),
    [("paper", 0.9, 19, 0), ("released", 0.999, 13, 14)],
)
def test_variants_differ_where_the_facts_say(variant, momentum, relus, mirrors):
    model = build_defect_seg_net(num_classes=1, variant=variant)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("ReLU") == relus
    assert kinds.count("SymmetricPadding2D") == mirrors
    assert kinds.count("BatchNormalization") == 20
    assert {layer.momentum for layer in model.layers if hasattr(layer, "momentum")} == {
        momentum
    }


def convolve_numpy(x, kernel, bias, mode):
    """Slide a 3x3 kernel over (H, W, C), map by map."""
    maps = [
        sum(
            correlate(x[..., c], kernel[..., c, k], mode=mode, cval=0.0)
            for c in range(x.shape[-1])
        )
        for k in range(kernel.shape[-1])
    ]
    return np.stack(maps, axis=-1) + bias


def upsample_numpy(x, kernel, bias):
    """Write each pixel times the kernel (2, 2, out, in) into its 2x2 block."""
    height, width, _ = x.shape
    blocks = np.einsum("hwc,ijkc->hiwjk", x, kernel)
    return blocks.reshape(2 * height, 2 * width, -1) + bias


def pool_numpy(x):
    height, width, channels = x.shape
    return x.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))


def run_numpy(model, image, variant):
    """Compute DefectSegNet from the table, with none of our code."""
    tensors = [image]
    for name, operation, _, reads, *_ in TABLE:
        x = np.concatenate([tensors[i] for i in reads], axis=-1)
        weights = [w.numpy().astype(float) for w in model.get_layer(name).weights]
        if operation == "pool":
            x = pool_numpy(x)
        elif operation == "tconv":
            x = upsample_numpy(x, *weights)
        else:
            mode = "constant" if variant == "paper" else "reflect"
            x = convolve_numpy(x, *weights, mode)
        if variant == "released" and operation == "conv":
            x = np.maximum(x, 0)
        if variant == "released" and operation == "output":
            x = 1 / (1 + np.exp(-x))
        gamma, beta, mean, variance = (
            w.numpy().astype(float) for w in model.get_layer(norm_name(name)).weights
        )
        x = gamma * (x - mean) / np.sqrt(variance + NORM_EPSILON) + beta
        if variant == "paper" and operation != "output":
            x = np.maximum(x, 0)
        tensors.append(x)
    return tensors[-1]


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_an_implementation_in_numpy(variant):
    model = randomize(
        build_defect_seg_net(num_classes=3, input_shape=(24, 32, 2), variant=variant)
    )
    image = np.random.default_rng(2).random((24, 32, 2))
    logits = model(image[None], training=False)[0]
    np.testing.assert_allclose(
        logits, run_numpy(model, image, variant), rtol=1e-4, atol=1e-5
    )


def touched_rows(model, size=136):
    """(size, size) whether an impulse in an input row (first axis) changes a row."""
    impulses = np.zeros((size, size, 8, 1), dtype=np.float32)
    impulses[np.arange(size), np.arange(size)] = 1.0
    before_output = keras.Model(model.input, model.get_layer("output_conv").output)
    return before_output.predict(impulses, batch_size=34, verbose=0)[:, :, 4, 0] > 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_receptive_field(variant):
    """All weights positive and all biases 0: what is touched is above 0."""
    model = build_defect_seg_net(num_classes=1, variant=variant)
    for weight in model.trainable_weights:
        if weight.name == "kernel":
            weight.assign(np.ones(weight.shape) / np.prod(weight.shape[:-1]))
    touched = touched_rows(model)
    reach = {row: np.flatnonzero(touched[:, row]) for row in range(64, 72)}
    widths = {row % 8: int(np.ptp(rows)) + 1 for row, rows in reach.items()}
    assert widths[0] == 92  # what the center of a 512 px tile sees
    assert widths == {0: 92, 1: 92, 2: 100, 3: 100, 4: 100, 5: 100, 6: 92, 7: 92}
    farthest = max(np.abs(rows - row).max() for row, rows in reach.items())
    assert 2 * farthest + 1 == RECEPTIVE_FIELD_PX


def test_number_of_classes_must_be_positive():
    with pytest.raises(ValueError, match="num_classes=0"):
        build_defect_seg_net(num_classes=0)
