"""Read the tensors of a legacy PyTorch file, without PyTorch and without trust.

A pickle is a program that can call anything. This reader knows five names, those
that a file of plain tensors needs; any other ends in an error before it is called.

The file is five pickles in a row (a magic number, a version, facts on the machine,
the tensors with references to storages, the keys of the storages), followed by each
storage: its length as int64, then its numbers, all little-endian.
"""

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.errors import ModelError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001

Storage: TypeAlias = NDArray[Any]


def _rebuild_tensor(
    storage: Storage, offset: int, shape: Any, strides: Any, *_: Any
) -> NDArray[Any]:
    """Give the view (N, ...) of a storage (M,) that a tensor is.

    NumPy checks that it lies within the storage.
    """
    size = storage.itemsize
    return np.ndarray(
        shape, storage.dtype, storage, offset * size, [step * size for step in strides]
    )


KNOWN_NAMES = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}
"""All that a file may name, and what it means here."""


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that resolves nothing but `KNOWN_NAMES`."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}
        self.file_size = os.fstat(file.fileno()).st_size

    def find_class(self, module: str, name: str) -> Any:
        """Give the meaning of a name, or refuse it."""
        if (module, name) not in KNOWN_NAMES:
            raise ModelError(
                f"A file of weights must hold tensors only. Received: {module}.{name}."
            )
        return KNOWN_NAMES[module, name]

    def persistent_load(self, reference: Any) -> Storage:
        """Give the storage that is meant, to be filled later."""
        kind, dtype, key, _, length, _ = reference
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise ModelError(f"A reference must be to a storage. Received: {kind!r}.")
        if not 0 <= length * dtype.itemsize <= self.file_size:
            raise ModelError(f"A storage must lie in the file. Received: {length}.")
        return self.storages.setdefault(key, np.zeros(length, dtype))


def read_torch_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Read the tensors of a legacy PyTorch file of a plain state dictionary.

    Args:
        path: The file, as `torch.save` wrote it up to PyTorch 1.5.

    Returns:
        Name to tensor, (N, ...) float32 or int64.

    Raises:
        ModelError: When the file is of another kind, is cut short, or names
            anything but tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (
        OSError,
        EOFError,
        pickle.UnpicklingError,
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        raise ModelError(
            f"{path}: cannot be read as PyTorch tensors: {error}"
        ) from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _read(file: BinaryIO) -> dict[str, NDArray[Any]]:
    head = [_TensorUnpickler(file).load() for _ in range(3)]
    if head[:2] != [MAGIC_NUMBER, PROTOCOL_VERSION] or not head[2]["little_endian"]:
        raise ModelError("must be a little-endian file of PyTorch's legacy form.")
    unpickler = _TensorUnpickler(file)
    tensors = unpickler.load()
    for key in _TensorUnpickler(file).load():
        storage = unpickler.storages[key]
        length = int.from_bytes(file.read(8), "little")
        data = file.read(storage.nbytes)
        if length != len(storage) or len(data) != storage.nbytes:
            raise ModelError("is damaged: a storage has another length than told.")
        storage[:] = np.frombuffer(data, storage.dtype)
    return dict(tensors)
