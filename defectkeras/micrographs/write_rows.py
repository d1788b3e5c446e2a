"""Writing maps that do not fit into memory: tiled, compressed BigTIFF."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import DTypeLike, NDArray

from defectkeras.core.files import whole_file

TILE_PX = 512


def write_tiled_tiff(
    path: Path,
    read_rows: Callable[[int, int], NDArray[Any]],
    shape: tuple[int, int],
    *,
    dtype: DTypeLike,
    pixel_size_nm: float | None = None,
) -> None:
    """Write a map as tiled, compressed TIFF, whole or not at all.

    Args:
        path: Ends on .tif; an older file is replaced.
        read_rows: First row and the row after the last to these rows, (h, W).
        shape: (H, W).
        dtype: Type of the values.
        pixel_size_nm: Stands in the file when it is known.
    """

    def tiles() -> Iterator[NDArray[Any]]:
        """Cut the map (H, W) into tiles, row by row."""
        for top in range(0, shape[0], TILE_PX):
            rows = read_rows(top, min(top + TILE_PX, shape[0]))
            for left in range(0, shape[1], TILE_PX):
                part = rows[:, left : left + TILE_PX]
                tile = np.zeros((TILE_PX, TILE_PX), dtype=dtype)
                tile[: part.shape[0], : part.shape[1]] = part
                yield tile

    per_cm = None if pixel_size_nm is None else 1e7 / pixel_size_nm
    with whole_file(path) as temporary:
        tifffile.imwrite(
            temporary,
            tiles(),
            shape=shape,
            dtype=dtype,
            tile=(TILE_PX, TILE_PX),
            compression="zlib",
            bigtiff=True,
            photometric="minisblack",
            resolution=None if per_cm is None else (per_cm, per_cm),
            resolutionunit=None if per_cm is None else "CENTIMETER",
            metadata=None,
        )
