from pathlib import Path

import numpy as np
import pytest

from defectkeras.pipelines.flat_array import FlatArray, most_bytes_in_memory

PARTS = (np.arange(12.0).reshape(3, 4), np.empty((0, 5)), np.arange(7.0, 9.0))
WHOLE = np.concatenate([part.reshape(-1) for part in PARTS])


def files_open_in(folder):
    links = (str(link.resolve()) for link in Path("/proc/self/fd").iterdir())
    return [link for link in links if str(folder) in link]


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.int64])
@pytest.mark.parametrize("most_bytes", [0, 50, 1000])
def test_memory_and_file_give_the_same(tmp_path, dtype, most_bytes):
    flat = FlatArray(dtype, most_bytes=most_bytes, folder=tmp_path / "new")
    for part in PARTS:
        flat.append(part)
    is_in_file = WHOLE.astype(dtype).nbytes > most_bytes
    assert flat.num_bytes == WHOLE.astype(dtype).nbytes
    assert bool(files_open_in(tmp_path)) == is_in_file
    tensor = flat.to_tensor()
    assert "CPU" in tensor.device
    assert tensor.dtype == dtype
    np.testing.assert_array_equal(tensor.numpy(), WHOLE)
    del tensor
    assert not files_open_in(tmp_path)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))  # it has no name


def test_nothing_is_an_empty_tensor():
    assert FlatArray(np.int64, most_bytes=0).to_tensor().shape == (0,)


def test_memory_is_left_for_others():
    assert 0 < most_bytes_in_memory() < 2**50
