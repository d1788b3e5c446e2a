"""Pixels that lie in a file as they are, row after row."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.errors import MicrographError


def read_raw(
    path: Path, *, dtype: np.dtype[Any], shape: tuple[int, int], offset: int
) -> NDArray[Any]:
    """Read one frame of raw pixels.

    Args:
        path: The file.
        dtype: Type of the values, with their byte order.
        shape: (H, W) in pixels.
        offset: Where the first value begins, in bytes.

    Returns:
        (H, W) of `dtype`.

    Raises:
        MicrographError: When the file ends before the last pixel.
    """
    count = math.prod(shape)
    require_bytes(path, offset + count * dtype.itemsize)
    values: NDArray[Any] = np.fromfile(path, dtype=dtype, count=count, offset=offset)
    return values.reshape(shape)


def require_bytes(path: Path, count: int) -> None:
    """Check that a file is as long as its header promises.

    Args:
        path: The file.
        count: The least length in bytes.

    Raises:
        MicrographError: When the file is shorter.
    """
    size = path.stat().st_size
    if size < count:
        raise MicrographError(
            f"must be complete. Received: {size} bytes where the header promises "
            f"{count} or more. The file is truncated; copy it again."
        )
