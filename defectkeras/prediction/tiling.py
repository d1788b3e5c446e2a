"""Overlapping tiles: a micrograph of any size in pieces that a network can take.

Along one axis, with tiles of T pixels::

    |halo|------------ core ------------|halo|
                               |halo|------------ core ------------|halo|
                                    |overlap|

The halo gives context and is thrown away. When it is at least the radius of the
network's receptive field, and every tile begins at a multiple of the network's
stride, each kept pixel is what an endless image would give: the result does not
depend on the tiling. Where cores overlap, their weights rise and fall smoothly
and add up to one, so that also a network that looks farther leaves no seam.

Outside the image its mirror image continues, as in `numpy.pad(..., "symmetric")`.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import Image
from defectkeras.core.errors import ModelError

SMALLEST_CAP_PX = 96
"""A halo that the receptive field asks for is never cut below this, in px."""

Position = tuple[int, int]
"""Row and column in the image where the core of a tile begins."""


@dataclass(frozen=True)
class Tiling:
    """How a micrograph is cut.

    Attributes:
        tile_size: Largest side of a tile in pixels. Smaller images get smaller
            tiles.
        halo: Context in pixels on each side that is thrown away, see
            `choose_halo`. It is rounded up to the stride.
        batch_size: Tiles that the network takes at once; memory grows with it.
        stride: Tile sides and origins are multiples of it.
        overlap: Pixels that the cores of neighbors share at least.

    Raises:
        ModelError: When a value is below its least, or a tile has no room for
            its halo and overlaps.
    """

    tile_size: int = 512
    halo: int = 64
    batch_size: int = 4
    stride: int = 8
    overlap: int = 16

    def __post_init__(self) -> None:
        """Check the values against each other."""
        least = {"halo": 0, "batch_size": 1, "stride": 1, "overlap": 0}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ModelError(
                    f"`{name}` must be {low} or more. Received: "
                    f"{name}={getattr(self, name)}."
                )
        halo = round_up(self.halo, self.stride)
        overlap = round_up(self.overlap, self.stride)
        needed = 2 * halo + max(3 * overlap, self.stride)
        if round_down(self.tile_size, self.stride) < needed:
            raise ModelError(
                f"`tile_size` must be {needed} or more, room for a halo of {halo} px "
                f"on each side. Received: tile_size={self.tile_size}."
            )


@dataclass(frozen=True)
class TilePlan:
    """The tiles of one image; all are squares of one size.

    Attributes:
        shape: (H, W) of the image.
        tile_size: Side T of each tile in pixels, a multiple of the stride.
        halo: Pixels on each side of a tile that are thrown away.
        overlap: Pixels that the cores of neighbors share.
        rows: Where the cores begin, from 0 on.
        columns: Likewise.
    """

    shape: tuple[int, int]
    tile_size: int
    halo: int
    overlap: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def core_size(self) -> int:
        """Side of the kept part of a tile in pixels."""
        return self.tile_size - 2 * self.halo

    @property
    def num_tiles(self) -> int:
        """Number of tiles."""
        return len(self.rows) * len(self.columns)

    def batches(self, batch_size: int) -> Iterator[list[Position]]:
        """Give the positions of all tiles, row by row, some at a time."""
        positions = itertools.product(self.rows, self.columns)
        while batch := list(itertools.islice(positions, batch_size)):
            yield batch


def plan_tiles(shape: tuple[int, int], tiling: Tiling) -> TilePlan:
    """Plan equal square tiles over an image.

    The fewest tiles that `tiling.tile_size` allows are taken, and then the
    smallest tile with which so few cover the image.

    Args:
        shape: (H, W) of the image in pixels.
        tiling: Sizes.

    Returns:
        The plan; its cores cover the image, the last may reach beyond.

    Example:
        >>> plan = plan_tiles((100, 700), Tiling(tile_size=512, halo=48))
        >>> plan.tile_size, plan.rows, plan.columns
        (456, (0,), (0, 344))
    """
    halo = round_up(tiling.halo, tiling.stride)
    overlap = round_up(tiling.overlap, tiling.stride)
    largest = round_down(tiling.tile_size, tiling.stride) - 2 * halo
    counts = [
        max(1, math.ceil((length - overlap) / (largest - overlap))) for length in shape
    ]
    core = max(
        round_up(math.ceil((length + (count - 1) * overlap) / count), tiling.stride)
        for length, count in zip(shape, counts, strict=True)
    )
    rows, columns = (
        tuple(i * (core - overlap) for i in range(count)) for count in counts
    )
    return TilePlan(shape, core + 2 * halo, halo, overlap, rows, columns)


def rows_of_tiles(plan: TilePlan, positions: Sequence[Position]) -> tuple[int, int]:
    """Give the first row that some tiles need, and the row after the last one.

    Args:
        plan: Of an image.
        positions: Of tiles of the plan.
    """
    starts = {row - plan.halo for row, _ in positions}
    size, height = plan.tile_size, plan.shape[0]
    rows = np.concatenate([_mirrored(start, size, height) for start in starts])
    return int(rows.min()), int(rows.max()) + 1


def cut_tiles(
    image: Image,
    plan: TilePlan,
    positions: Sequence[Position],
    *,
    first_row: int = 0,
) -> NDArray[np.float32]:
    """Cut some tiles out of an image.

    Args:
        image: (H, W), or those of its rows that `rows_of_tiles` tells.
        plan: The plan for the shape of the whole image.
        positions: Of N tiles of the plan.
        first_row: Row of the whole image that is the first here.

    Returns:
        (N, T, T, 1) float32; outside the image its mirror image.
    """
    height, width = plan.shape
    tiles = np.empty(
        (len(positions), plan.tile_size, plan.tile_size, 1), dtype=np.float32
    )
    for tile, (row, column) in zip(tiles, positions, strict=True):
        rows = _mirrored(row - plan.halo, plan.tile_size, height)
        columns = _mirrored(column - plan.halo, plan.tile_size, width)
        tile[..., 0] = image[np.ix_(rows - first_row, columns)]
    return tiles


def blend_tiles(
    total: NDArray[np.float32],
    values: NDArray[np.float32],
    plan: TilePlan,
    positions: Sequence[Position],
    *,
    first_row: int = 0,
) -> None:
    """Add the weighted cores of some tiles to the whole, in place.

    After all tiles of the plan were added, each pixel of `total` has got
    weights that add up to one.

    Args:
        total: (H, W, K) or those of its rows that the cores reach, zeros before the
            first call.
        values: (N, T, T, K), what the network said about N tiles.
        plan: The plan for (H, W).
        positions: Of the N tiles.
        first_row: Row of the whole that is the first of `total`.
    """
    height, width = plan.shape
    core = slice(plan.halo, plan.halo + plan.core_size)
    for tile, (row, column) in zip(values, positions, strict=True):
        row_weights = _weights(plan, row, plan.rows)[: height - row]
        column_weights = _weights(plan, column, plan.columns)[: width - column]
        weights = np.outer(row_weights, column_weights)[..., np.newaxis]
        kept = tile[core, core][: weights.shape[0], : weights.shape[1]]
        top = row - first_row
        rows = slice(top, top + weights.shape[0])
        columns = slice(column, column + weights.shape[1])
        total[rows, columns] += kept * weights


def paste_tiles(
    whole: NDArray[Any],
    values: NDArray[Any],
    plan: TilePlan,
    positions: Sequence[Position],
    *,
    first_row: int = 0,
) -> None:
    """Put the cores of some tiles into the whole, in place; the later one stays.

    For what has no mean, such as classes.

    Args:
        whole: (H, W) or those of its rows that the cores reach.
        values: (N, T, T).
        plan: The plan for (H, W).
        positions: Of the N tiles.
        first_row: Row of the whole that is the first here.
    """
    core = slice(plan.halo, plan.halo + plan.core_size)
    for tile, (row, column) in zip(values, positions, strict=True):
        top = row - first_row
        part = whole[top : top + plan.core_size, column : column + plan.core_size]
        part[...] = tile[core, core][: part.shape[0], : part.shape[1]]


def choose_halo(receptive_field_px: int | None, tile_size: int) -> int:
    """Give the halo for a network.

    Args:
        receptive_field_px: Side of the square that an output pixel depends on; None
            is the whole tile.
        tile_size: Largest side of a tile in px.

    Returns:
        The radius of the receptive field in px, but at most a quarter of a tile (and
        for small tiles `SMALLEST_CAP_PX`): of what lies beyond a trace stays, which
        the smooth overlap of the tiles hides.

    Example:
        >>> choose_halo(103, 512), choose_halo(913, 512), choose_halo(None, 1024)
        (51, 128, 256)
    """
    cap = max(tile_size // 4, SMALLEST_CAP_PX)
    return cap if receptive_field_px is None else min(receptive_field_px // 2, cap)


def round_up(value: int, multiple: int) -> int:
    """Give the smallest multiple that is not below a value."""
    return -(-value // multiple) * multiple


def round_down(value: int, multiple: int) -> int:
    """Give the largest multiple that is not above a value."""
    return value // multiple * multiple


def _mirrored(start: int, count: int, length: int) -> NDArray[np.intp]:
    """Give indices into an axis that goes on as its mirror image."""
    indices = np.arange(start, start + count) % (2 * length)
    return np.where(indices < length, indices, 2 * length - 1 - indices)


def _weights(plan: TilePlan, start: int, starts: Sequence[int]) -> NDArray[np.float32]:
    """Give the weights of a core along one axis: sin^2 up, one, cos^2 down."""
    weights = np.ones(plan.core_size, dtype=np.float32)
    if plan.overlap:
        steps = (np.arange(plan.overlap) + 0.5) / plan.overlap
        rise = np.sin(0.5 * np.pi * steps).astype(np.float32) ** 2
        if start != starts[0]:
            weights[: plan.overlap] = rise
        if start != starts[-1]:
            weights[-plan.overlap :] = 1 - rise
    return weights
