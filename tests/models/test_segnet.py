"""SegNet against the published counts, Caffe's layers, and its receptive field."""

import keras
import numpy as np
import pytest

from defectkeras.models.segnet import (
    LEVELS,
    RECEPTIVE_FIELD_PX,
    STRIDE,
    build_segnet,
)


@pytest.mark.usefixtures("undrawn_weights")
@pytest.mark.parametrize(
    ("channels", "classes", "trainable", "total"),
    [
        (3, 12, 29_449_932, 29_465_804),
        (3, 11, 29_449_355, 29_465_227),
        (3, 21, 29_455_125, 29_470_997),
        (1, 2, 29_443_010, 29_458_882),
    ],
)
def test_published_counts(channels, classes, trainable, total):
    model = build_segnet((None, None, channels), num_classes=classes)
    found = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert (found, model.count_params()) == (trainable, total)


@pytest.mark.usefixtures("undrawn_weights")
def test_convolutions_are_those_of_the_released_file():
    model = build_segnet((360 + 24, 480, 3), num_classes=11)
    convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    encoder = [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    decoder = [512, 512, 512, 512, 512, 256, 256, 256, 128, 128, 64, 64, 11]
    assert [x.filters for x in convolutions] == encoder + decoder
    assert {x.kernel_size for x in convolutions} == {(3, 3)}
    sizes = [x.output.shape[1:3] for x in model.layers if x.name.endswith("unpool")]
    assert sizes == [(384 // s, 480 // s) for s in (16, 8, 4, 2, 1)]


@pytest.mark.parametrize("bayesian", [False, True])
def test_dropout_is_where_the_released_file_has_it(bayesian):
    model = build_segnet(num_classes=2, filters=2, bayesian=bayesian)
    names = [x.name for x in model.layers if "dropout" in x.name]
    expected = [f"encoder_{i}_dropout" for i in (3, 4, 5)]
    expected += [f"decoder_{i}_dropout" for i in (5, 4, 3)]
    assert names == (expected if bayesian else [])
    inputs = [model.get_layer(n).input.name for n in names]
    assert len(set(inputs)) == len(names)


def farthest_row(levels, radius, stride):
    """Follow the rows that an output row depends on back through the layers."""
    reach = 0
    for row in range(40 * stride, 41 * stride):
        low = high = row
        for convolutions in levels:  # decoder, from fine to coarse
            low, high = low - convolutions * radius, high + convolutions * radius
            low, high = low // 2, high // 2
        for convolutions in reversed(levels):  # encoder, from coarse to fine
            low, high = 2 * low, 2 * high + 1
            low, high = low - convolutions * radius, high + convolutions * radius
        reach = max(reach, row - low, high - row)
    return reach


def test_receptive_field():
    convolutions = [number for _, number in LEVELS]
    assert farthest_row([2], 1, 2) == 5  # 2 and 2, and the other row of the cell
    assert 2 * farthest_row(convolutions, 1, STRIDE) + 1 == RECEPTIVE_FIELD_PX


def test_bad_numbers_are_told():
    with pytest.raises(ValueError, match="filters=0"):
        build_segnet(num_classes=2, filters=0)
