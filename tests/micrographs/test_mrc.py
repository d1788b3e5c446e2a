import gzip
import struct

import mrcfile
import numpy as np
import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import MAX_PIXELS
from defectkeras.micrographs.mrc import read_mrc
from defectkeras.micrographs.read import read_micrograph

PIXELS = np.arange(15).reshape(3, 5)


def write(path, data, voxel_size=None):
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(data)
        if voxel_size is not None:
            file.voxel_size = voxel_size
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.mrc"


@pytest.mark.parametrize("dtype", ["i1", "<i2", "<f4", "<u2", "<f2"])
def test_every_mode_is_read_exactly(path, dtype):
    write(path, PIXELS.astype(dtype), voxel_size=2.5)

    frame = read_mrc(path, None, MAX_PIXELS)

    assert frame.pixels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(frame.pixels, PIXELS)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("stamp", "flags", "largest", "dtype"),
    [
        (0, 0, 127, "i1"),  # MRC2014
        (1146047817, 1, 127, "i1"),  # IMOD, signed
        (1146047817, 0, 127, "u1"),  # IMOD, not signed
        (1146047817, 4, 99, "u1"),
        (0, 0, 250, "u1"),  # before MRC2014: signed bytes have no 250
    ],
)
def test_bytes_are_signed_or_not_as_the_header_says(
    path, stamp, flags, largest, dtype, order
):
    """At the places that IMOD publishes."""
    pixels = np.array([[0, 1, 127, 128, 250]] * 3, np.uint8)
    write(path, pixels.view("i1"))
    content = bytearray(path.read_bytes())
    header = np.frombuffer(content[:224], "<i4").astype(f"{order}i4").tobytes()
    content[:224] = header
    content[152:160] = struct.pack(f"{order}2i", stamp, flags)
    content[76:84] = struct.pack(f"{order}2f", 0, largest)
    content[208:216] = b"MAP " + (b"DD\0\0" if order == "<" else b"\x11\x11\0\0")
    path.write_bytes(content)

    frame = read_mrc(path, None, MAX_PIXELS)

    assert frame.pixels.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(frame.pixels, pixels.view(dtype))


def test_voxels_are_angstrom(path):
    write(path, PIXELS.astype(np.float32), voxel_size=2.5)

    calibration = read_micrograph(path).calibration

    assert calibration.pixel_size_nm == 0.25
    assert calibration.pixel_size_source == "MRC header"


@pytest.mark.parametrize("voxel_size", [0.0, -1.0, 1.0])
def test_voxels_without_size_are_no_calibration(path, voxel_size):
    write(path, PIXELS.astype(np.float32), voxel_size=voxel_size)

    assert read_micrograph(path).calibration.pixel_size_nm is None


def test_voxels_that_are_not_square_are_refused(path):
    write(path, PIXELS.astype(np.float32), voxel_size=(1.0, 1.1, 1.0))

    with pytest.raises(MicrographError, match="square"):
        read_micrograph(path)
    assert read_micrograph(path, pixel_size_nm=3).calibration.pixel_size_nm == 3.0


def test_the_other_byte_order_is_read(path):
    write(path, PIXELS.astype(">i2"), voxel_size=2.5)

    np.testing.assert_array_equal(read_mrc(path, None, MAX_PIXELS).pixels, PIXELS)
    assert read_micrograph(path).calibration.pixel_size_nm == 0.25


def test_stack_needs_a_frame_number(path):
    stack = np.arange(30, dtype=np.int16).reshape(2, 3, 5)
    write(path, stack)

    with pytest.raises(MicrographError, match="2 frames"):
        read_mrc(path, None, MAX_PIXELS)
    np.testing.assert_array_equal(read_mrc(path, 1, MAX_PIXELS).pixels, stack[1])


def test_an_extended_header_is_skipped(path):
    with mrcfile.new(path) as file:
        file.set_data(PIXELS.astype(np.int16))
        file.set_extended_header(np.zeros(100, np.uint8))

    np.testing.assert_array_equal(read_mrc(path, None, MAX_PIXELS).pixels, PIXELS)


def test_complex_is_refused(path):
    write(path, PIXELS.astype(np.complex64))

    with pytest.raises(MicrographError, match="complex"):
        read_mrc(path, None, MAX_PIXELS)


def test_a_header_that_lies_is_refused(path):
    write(path, PIXELS.astype(np.float32))
    data = bytearray(path.read_bytes())
    for offset, value in [(0, 16_000), (4, 16_000), (92, 2**31 - 1), (92, -100)]:
        lie = data.copy()
        lie[offset : offset + 4] = int(value).to_bytes(4, "little", signed=True)
        path.write_bytes(lie)

        with pytest.raises(MicrographError, match="Received"):
            read_mrc(path, None, MAX_PIXELS)


def test_a_packed_file_is_refused(path):
    write(path, PIXELS.astype(np.float32))
    path.write_bytes(gzip.compress(path.read_bytes()))

    with pytest.raises(MicrographError, match="MRC2014"):
        read_mrc(path, None, MAX_PIXELS)


def test_a_map_of_the_emdb(shared_data):
    path = shared_data("instrument") / "mrcfile" / "EMD-3197.map"

    micrograph = read_micrograph(path, frame=7)

    assert micrograph.calibration.pixel_size_nm == 1.14
    with mrcfile.open(path) as file:
        np.testing.assert_array_equal(micrograph.pixels, file.data[7])
    with pytest.raises(MicrographError, match="20 frames"):
        read_micrograph(path)
