"""The reader of PyTorch files takes tensors and refuses everything else."""

import pickle
import struct

import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.encoders.torch_pickle import (
    MAGIC_NUMBER,
    PROTOCOL_VERSION,
    read_torch_tensors,
)

HEAD = b"".join(
    pickle.dumps(part, 2)
    for part in (MAGIC_NUMBER, PROTOCOL_VERSION, {"little_endian": True})
)


def unicode(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def tensor(key, kind, length, offset, shape, strides):
    """Give the opcodes of a call of _rebuild_tensor_v2."""
    integers = [
        b"(" + b"".join(b"K" + bytes([i]) for i in axis) + b"t"
        for axis in (shape, strides)
    ]
    storage = (
        b"(" + unicode("storage") + f"ctorch\n{kind}\n".encode() + unicode(key)
        + unicode("cpu") + b"J" + struct.pack("<i", length) + b"NtQ"
    )  # fmt: skip
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage + b"K" + bytes([offset]) + b"".join(integers)
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )  # fmt: skip


def write(path, tensors, storages, head=HEAD):
    body = b"\x80\x02}("
    for name, opcodes in tensors.items():
        body += unicode(name) + opcodes
    body += b"u."
    data = b"".join(struct.pack("<q", len(a)) + a.tobytes() for a in storages.values())
    path.write_bytes(head + body + pickle.dumps(list(storages), 2) + data)
    return path


STORAGES = {"11": np.arange(7, dtype="<f4"), "12": np.array([5], dtype="<i8")}
TENSORS = {
    "kernel": tensor("11", "FloatStorage", 7, 1, (2, 3), (3, 1)),
    "steps": tensor("12", "LongStorage", 1, 0, (), ()),
}


def test_tensors_are_read(tmp_path):
    found = read_torch_tensors(write(tmp_path / "a.pth", TENSORS, STORAGES))
    np.testing.assert_array_equal(found["kernel"], [[1, 2, 3], [4, 5, 6]])
    assert found["kernel"].dtype == "float32"
    assert found["steps"] == 5


def test_other_order_of_axes_is_read(tmp_path):
    turned = {"kernel": tensor("11", "FloatStorage", 7, 1, (2, 3), (1, 2))}
    path = write(tmp_path / "a.pth", turned, {"11": STORAGES["11"]})
    found = read_torch_tensors(path)
    np.testing.assert_array_equal(found["kernel"], [[1, 3, 5], [2, 4, 6]])


@pytest.mark.parametrize(("offset", "strides"), [(2, (3, 1)), (1, (4, 1))])
def test_tensor_beyond_its_storage_is_refused(tmp_path, offset, strides):
    outside = {"kernel": tensor("11", "FloatStorage", 7, offset, (2, 3), strides)}
    with pytest.raises(ModelError, match=r"a\.pth"):
        read_torch_tensors(write(tmp_path / "a.pth", outside, STORAGES))


@pytest.mark.parametrize("name", ["os\nsystem", "builtins\neval", "torch\nHalfStorage"])
def test_any_other_name_is_refused_before_it_is_called(tmp_path, name):
    call = b"c" + name.encode() + b"\n(" + unicode("touch pwned") + b"tR"
    path = write(tmp_path / "a.pth", {"evil": call}, STORAGES)
    with pytest.raises(ModelError, match="must hold tensors only"):
        read_torch_tensors(path)
    assert not list(tmp_path.glob("pwned"))


def test_storage_beyond_the_file_is_refused_before_memory_is_taken(tmp_path):
    huge = {"kernel": tensor("11", "FloatStorage", 2**31 - 1, 0, (2, 3), (3, 1))}
    with pytest.raises(ModelError, match="must lie in the file"):
        read_torch_tensors(write(tmp_path / "a.pth", huge, STORAGES))


def test_damage_is_told_with_the_file(tmp_path):
    path = write(tmp_path / "a.pth", TENSORS, STORAGES)
    data = path.read_bytes()
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        with pytest.raises(ModelError, match=r"a\.pth"):
            read_torch_tensors(path)
    path.write_bytes(b"PK\x03\x04" + data)
    with pytest.raises(ModelError, match=r"a\.pth"):
        read_torch_tensors(path)
    wrong = write(path, TENSORS, STORAGES, head=pickle.dumps(1, 2) * 3)
    with pytest.raises(ModelError, match=r"a\.pth"):
        read_torch_tensors(wrong)
