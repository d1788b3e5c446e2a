"""Cells of windows against slices in NumPy, and the two directions as adjoints."""

import math

import numpy as np
import pytest

from defectkeras.models.layers.windows import Windows

WINDOWS = [
    Windows((2, 2), (2, 2), "same"),
    Windows((2, 2), (2, 2), "valid"),
    Windows((3, 2), (2, 1), "same"),
    Windows((3, 4), (1, 2), "valid"),
    Windows((2, 3), (3, 5), "same"),
    Windows((1, 2), (4, 2), "valid"),
]
SIZES = [(8, 10), (7, 9), (5, 12)]


def cells_in_numpy(images, windows, fill):
    """Pad as TensorFlow does, and slice."""
    padded, counts = images, []
    for axis in (0, 1):
        size, pool, stride = (
            images.shape[axis + 1],
            *((windows.pool[axis], windows.strides[axis])),
        )
        same = windows.padding == "same"
        count = math.ceil(size / stride) if same else (size - pool) // stride + 1
        missing = max((count - 1) * stride + pool - size, 0)
        pads = [(0, 0)] * 4
        pads[axis + 1] = (missing // 2, missing - missing // 2)
        padded = np.pad(padded, pads, constant_values=fill)
        counts.append(count)
    (rows, columns), (down, right) = counts, windows.strides
    return [
        padded[:, i : i + (rows - 1) * down + 1 : down][
            :, :, j : j + (columns - 1) * right + 1 : right
        ]
        for i in range(windows.pool[0])
        for j in range(windows.pool[1])
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("windows", WINDOWS, ids=str)
def test_cells_are_those_of_numpy(windows, size):
    images = np.random.default_rng(1).random((2, *size, 3), dtype=np.float32)
    expected = cells_in_numpy(images, windows, -1)
    np.testing.assert_array_equal(windows.cut(images, fill=-1), expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("windows", WINDOWS, ids=str)
def test_assembling_is_the_adjoint_of_cutting(windows, size):
    """<cut(a), b> = <a, assemble(b)> for all a and b."""
    random = np.random.default_rng(2)
    images = random.random((2, *size, 3), dtype=np.float32)
    cells = np.stack(windows.cut(images, fill=0.0))
    others = random.random(cells.shape, dtype=np.float32)
    assembled = np.asarray(windows.assemble(list(others), size))
    assert assembled.shape == images.shape
    assert np.sum(cells * others) == pytest.approx(np.sum(images * assembled), rel=1e-5)


def test_sizes():
    windows = Windows((3, 2), (2, 2), "same")
    assert [windows.count(0, size) for size in (1, 6, 7)] == [1, 3, 4]
    assert [windows.before(0, size) for size in (6, 7)] == [0, 1]
    assert windows.natural_size(0, 4) == 8
    windows = Windows((3, 2), (2, 2), "valid")
    assert [windows.count(0, size) for size in (3, 6, 7)] == [1, 2, 3]
    assert windows.natural_size(0, 3) == 7
    assert (windows.overlap, Windows((1, 1), (2, 2), "valid").overlap) == (
        (1, 0),
        (0, 0),
    )
