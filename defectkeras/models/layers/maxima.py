"""Where the maximum of each window is, and values that are put there.

The place of a maximum is its cell in its own window, counted in row-major order: its
code. Taking values from the coded cells and putting them there are the two directions
of one linear map, and each is the gradient of the other.
"""

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from defectkeras.models.layers.windows import Size, Windows


def first_maximum(cells: list[Any]) -> tuple[Any, Any]:
    """Give the maximum over the cells of each window, and which cell has it first."""
    dtype = code_dtype(len(cells))
    pooled, codes = cells[0], ops.zeros_like(cells[0], dtype=dtype)
    for code, cell in enumerate(cells[1:], start=1):
        keep = (cell <= pooled) | (cell != cell)  # so that a number beats NaN
        pooled = ops.where(keep, pooled, cell)
        codes = ops.where(keep, codes, ops.cast(code, dtype))
    return pooled, codes


def spread(
    values: Any, codes: Any, windows: Windows, size: Size, *, adjoint: bool
) -> Any:
    """Put each value into its cell: (B, h, w, C) to (B, H, W, C)."""

    def forward(values: Any) -> Any:
        zeros = ops.zeros_like(values)
        cells = [
            ops.where(codes == ops.cast(code, codes.dtype), values, zeros)
            for code in range(math.prod(windows.pool))
        ]
        return windows.assemble(cells, size)

    if not adjoint:
        return forward(values)
    return with_gradient(forward, values, lambda g: _pick(g, codes, windows))


def _pick(images: Any, codes: Any, windows: Windows) -> Any:
    """Take each window's cell, as the adjoint: (B, H, W, C) to (B, h, w, C)."""
    size = tuple(ops.shape(images)[1:3])

    def forward(images: Any) -> Any:
        picked, *others = windows.cut(images, fill=0.0)
        for code, cell in enumerate(others, start=1):
            picked = ops.where(codes == ops.cast(code, codes.dtype), cell, picked)
        return picked

    return with_gradient(
        forward, images, lambda g: spread(g, codes, windows, size, adjoint=True)
    )


def with_gradient(
    function: Callable[[Any], Any], tensor: Any, gradient: Callable[[Any], Any]
) -> Any:
    """Apply a function that is linear but for its codes, with its adjoint at hand.

    Automatic differentiation gives the same, but slower. It is left to it where a
    model predicts, because a SavedModel would carry the adjoint along.
    """

    def call(tensor: Any) -> tuple[Any, Callable[[Any], Any]]:
        return function(tensor), gradient

    return ops.custom_gradient(call)(tensor)


def code_dtype(num_cells: int) -> str:
    """Give the smallest integers that tell the cells of a window apart."""
    return "uint8" if num_cells <= 256 else "int32"


def flat_places(codes: Any, windows: Windows, size: Size) -> Any:
    """Turn each cell, (B, h, w, C), into its place (y * W + x) * C + c in int64."""
    codes, channels = ops.cast(codes, "int64"), codes.shape[-1]
    y, x = (
        ops.arange(windows.count(axis, size[axis]), dtype="int64")
        * windows.strides[axis]
        - windows.before(axis, size[axis])
        for axis in (0, 1)
    )
    y = y[:, None, None] + codes // windows.pool[1]
    x = x[:, None] + codes % windows.pool[1]
    return (y * size[1] + x) * channels + ops.arange(channels, dtype="int64")


def scatter(values: Any, indices: Any, size: Size) -> Any:
    """Add each value to its flat place in (B, *size, C)."""
    height, width = size
    batch, rows, columns, channels = ops.shape(values)
    places = ops.reshape(ops.cast(indices, "int64"), (-1,))
    per_image = rows * columns * channels
    image = ops.arange(batch * per_image, dtype="int64") // per_image
    flat = ops.scatter(
        ops.stack([image, places], axis=-1),  # a place over the batch could overflow
        ops.reshape(values, (-1,)),
        (batch, height * width * channels),
    )
    return ops.reshape(flat, (batch, height, width, channels))
