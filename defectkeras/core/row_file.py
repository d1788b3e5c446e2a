"""Maps larger than memory: rows in a plain file, written and read some at a time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True)
class RowFile:
    """A map (H, W) in a file, row after row; memory holds only what is asked for.

    Attributes:
        path: Of the file; the rows that are there are the first ones.
        shape: (H, W).
        dtype: Type of the values.
    """

    path: Path
    shape: tuple[int, int]
    dtype: DTypeLike

    def append(self, rows: NDArray[Any]) -> None:
        """Write the rows that follow, some of the (H, W)."""
        with self.path.open("ab") as file:
            np.ascontiguousarray(rows, dtype=self.dtype).tofile(file)

    def read(self, first: int, stop: int) -> NDArray[Any]:
        """Give the rows of (H, W) from `first` to `stop - 1`."""
        width = self.shape[1]
        values = np.fromfile(
            self.path,
            dtype=self.dtype,
            count=(stop - first) * width,
            offset=first * width * np.dtype(self.dtype).itemsize,
        )
        return values.reshape(stop - first, width)

    def mapped(self) -> NDArray[Any]:
        """Give all of (H, W) as an array that reads the file when it is looked at."""
        return np.memmap(self.path, dtype=self.dtype, mode="r", shape=self.shape)
