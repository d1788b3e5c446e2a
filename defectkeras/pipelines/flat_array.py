"""Arrays laid one after another: in memory, or in a file where they are large."""

import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import psutil
import tensorflow as tf
from numpy.typing import DTypeLike, NDArray

MEMORY_SHARE = 0.25


def most_bytes_in_memory() -> int:
    """Give a quarter of the memory that is free now."""
    return int(MEMORY_SHARE * psutil.virtual_memory().available)


class FlatArray:
    """A flat array that grows, and goes over to a file once it is large.

    The file has no name: nothing is left of it when the process ends, however it
    ends.

    Args:
        dtype: Of the elements.
        most_bytes: That it may take in memory.
        folder: Of the file; None takes the system's for temporary files.
    """

    def __init__(
        self, dtype: DTypeLike, *, most_bytes: int, folder: Path | None = None
    ) -> None:
        self.dtype, self.most_bytes, self.folder = np.dtype(dtype), most_bytes, folder
        self.num_bytes = 0
        self._parts: list[NDArray[Any]] = []
        self._file: IO[bytes] | None = None

    def append(self, array: NDArray[Any]) -> None:
        """Lay an array behind the others.

        Args:
            array: Such as (H, W); row by row it becomes flat, (N, ).

        Raises:
            OSError: When the disk is full.
        """
        flat = np.ascontiguousarray(array, self.dtype).reshape(-1)
        self.num_bytes += flat.nbytes
        self._parts.append(flat)
        if self._file is None and self.num_bytes > self.most_bytes:
            if self.folder is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115
        if self._file is not None:
            for part in self._parts:
                part.tofile(self._file)
            self._parts.clear()

    def to_tensor(self) -> Any:
        """Give the whole as a tensor on the CPU; what lies in a file is not copied.

        The system reads the parts of a file that are asked for, and forgets them
        where it needs the memory.
        """
        if self._file is None:
            whole = np.concatenate([np.empty(0, self.dtype), *self._parts])
            self._parts.clear()
            with tf.device("CPU:0"):
                return tf.constant(whole)
        with self._file as file:
            # "c", since a tensor cannot be made of memory that is read-only
            mapped = np.memmap(file, self.dtype, "c")
        return tf.experimental.dlpack.from_dlpack(mapped.__dlpack__())
