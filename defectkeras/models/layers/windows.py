"""Windows that slide over an image, as slices that need neither gather nor scatter.

An image falls into its phases: with a stride of 2, the pixels of even and of odd
rows, each again of even and of odd columns. Phases are taken out and put together by
reshaping alone, and each cell of a window lies in one phase. So what is built from
them is deterministic and runs on a CPU, on a GPU and in XLA.

Sizes may be integers or scalar tensors: an image's size may be known late.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from keras import ops

Padding = Literal["same", "valid"]
Pair = tuple[int, int]
Size = tuple[Any, Any]


@dataclass(frozen=True)
class Windows:
    """Where the windows of a pooling lie.

    Attributes:
        pool: Rows and columns of a window, its cells, counted in row-major order.
        strides: Rows and columns from one window to the next.
        padding: "same", a window for each begun stride, what is missing shared
            between both ends as TensorFlow does; or "valid", only windows within
            the image.
    """

    pool: Pair
    strides: Pair
    padding: Padding

    @property
    def overlap(self) -> Pair:
        """How many strides a window reaches beyond its first one."""
        rows, columns = (
            -(-pool // stride) - 1
            for pool, stride in zip(self.pool, self.strides, strict=True)
        )
        return rows, columns

    def count(self, axis: int, size: Any) -> Any:
        """Give the number of windows along rows (0) or columns (1) of that size."""
        pool, stride = self.pool[axis], self.strides[axis]
        if self.padding == "same":
            return -(-size // stride)
        return (size - pool) // stride + 1

    def natural_size(self, axis: int, count: Any) -> Any:
        """Give the size that as many windows cover without a rest."""
        pool, stride = self.pool[axis], self.strides[axis]
        if self.padding == "same":
            return count * stride
        return (count - 1) * stride + pool

    def before(self, axis: int, size: Any) -> Any:
        """Give the pixels of padding ahead of the first row or column."""
        pool, stride = self.pool[axis], self.strides[axis]
        if self.padding == "valid":
            return 0
        return _positive((self.count(axis, size) - 1) * stride + pool - size) // 2

    def cut(self, images: Any, *, fill: float) -> list[Any]:
        """Cut images into the cells of their windows.

        Args:
            images: (B, H, W, C).
            fill: What lies around an image.

        Returns:
            For each cell its pixels in all windows, (B, h, w, C).
        """
        counts = []
        for axis in (0, 1):
            size = ops.shape(images)[axis + 1]
            count = self.count(axis, size)
            images = _resize(
                images,
                axis,
                before=self.before(axis, size),
                size=(count + self.overlap[axis]) * self.strides[axis],
                fill=fill,
            )
            counts.append(count)
        phases = _split(images, self.strides)
        if self.overlap == (0, 0):
            return [phases[phase] for phase, _ in self._cells()]
        rows, columns = counts
        return [
            phases[phase][:, down : down + rows, right : right + columns]
            for phase, (down, right) in self._cells()
        ]

    def assemble(self, cells: Sequence[Any], size: Size) -> Any:
        """Put cells back into images; the adjoint of `cut` with a fill of 0.

        Pixels of no window are 0; where windows overlap, cells add up.

        Args:
            cells: For each cell its pixels in all windows, (B, h, w, C).
            size: (H, W).

        Returns:
            (B, H, W, C).
        """
        phases: dict[Pair, Any] = {}
        for cell, (phase, shift) in zip(cells, self._cells(), strict=True):
            shifted = _shift(cell, shift, self.overlap)
            phases[phase] = phases[phase] + shifted if phase in phases else shifted
        images = _join(phases, self.strides)
        for axis in (0, 1):
            before = -self.before(axis, size[axis])
            images = _resize(images, axis, before=before, size=size[axis], fill=0.0)
        return images

    def _cells(self) -> list[tuple[Pair, Pair]]:
        """Give each cell's phase, and how many strides it lies down and right."""
        places = []
        for row, column in itertools.product(*map(range, self.pool)):
            down, phase = divmod(row, self.strides[0])
            right, side_phase = divmod(column, self.strides[1])
            places.append(((phase, side_phase), (down, right)))
        return places


def _positive(number: Any) -> Any:
    return (number + abs(number)) // 2


def _resize(images: Any, axis: int, *, before: Any, size: Any, fill: float) -> Any:
    """Pad rows (0) or columns (1) ahead, or crop them, and bring the end to `size`."""
    found = ops.shape(images)[axis + 1]
    known = all(isinstance(number, int) for number in (before, found, size))
    if known and before == 0 and found == size:
        return images
    pads = [(0, 0)] * 4
    pads[axis + 1] = (_positive(before), _positive(size - before - found))
    start = _positive(-before)
    cut = (slice(None),) * (axis + 1) + (slice(start, start + size),)
    return ops.pad(images, pads, constant_values=fill)[cut]


def _shift(cell: Any, shift: Pair, room: Pair) -> Any:
    """Move (B, h, w, C) down and right within (B, h + room, w + room, C)."""
    if room == (0, 0):
        return cell
    pads = [(before, total - before) for before, total in zip(shift, room, strict=True)]
    return ops.pad(cell, [(0, 0), *pads, (0, 0)])


def _split(images: Any, strides: Pair) -> dict[Pair, Any]:
    """Split (B, H, W, C) into its phases (B, H / s, W / t, C)."""
    batch, height, width, channels = ops.shape(images)
    rows, columns = height // strides[0], width // strides[1]
    lines = ops.reshape(images, (batch, rows, strides[0] * width * channels))
    shape = (batch, rows, columns, strides[1] * channels)
    return {
        (row, column): phase
        for row, line in enumerate(ops.split(lines, strides[0], axis=-1))
        for column, phase in enumerate(
            ops.split(ops.reshape(line, shape), strides[1], axis=-1)
        )
    }


def _join(phases: dict[Pair, Any], strides: Pair) -> Any:
    """Put phases (B, h, w, C) together, zeros where one is missing."""
    batch, rows, columns, channels = ops.shape(phases[0, 0])
    zeros = ops.zeros_like(phases[0, 0])
    width = columns * strides[1]
    lines = []
    for row in range(strides[0]):
        line = [phases.get((row, column), zeros) for column in range(strides[1])]
        joined = ops.concatenate(line, axis=-1)
        lines.append(ops.reshape(joined, (batch, rows, width * channels)))
    shape = (batch, rows * strides[0], width, channels)
    return ops.reshape(ops.concatenate(lines, axis=-1), shape)
