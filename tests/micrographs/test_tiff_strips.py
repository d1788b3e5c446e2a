import struct
import zlib

import numpy as np
import pytest
import tifffile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import read_micrograph
from defectkeras.micrographs.tiff_strips import require_whole_strips

SLOPES = np.add.outer(np.arange(93), np.arange(131))
GREY8 = (SLOPES + np.random.default_rng(0).integers(0, 9, SLOPES.shape)).astype("u1")
GREY16 = GREY8 * np.uint16(200)


def with_zeros(path, begin, count):
    """Overwrite bytes of the pixels, as a sector that was lost does."""
    with tifffile.TiffFile(path) as file:
        offset = file.pages.first.dataoffsets[0] + begin
    content = bytearray(path.read_bytes())
    content[offset : offset + count] = bytes(count)
    path.write_bytes(content)


@pytest.mark.parametrize("how", [{"rowsperstrip": 40}, {"tile": (48, 64)}])
@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bit", "16 bit"])
@pytest.mark.parametrize("compression", ["zlib", "packbits", "lzw"])
@pytest.mark.parametrize("begin", [20, 700, 1500])
def test_a_page_damaged_inside_is_refused(
    tmp_path, capfd, compression, pixels, how, begin
):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, pixels, compression=compression, **how)
    np.testing.assert_array_equal(read_micrograph(path).pixels, pixels)

    with_zeros(path, begin, 512)

    with pytest.raises(MicrographError, match=r"field\.tif: must be .*damaged"):
        read_micrograph(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("predictor", [False, True])
def test_one_bit_of_deflate_is_noticed(tmp_path, predictor):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY8, compression="zlib", predictor=predictor)
    whole = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        first = file.pages.first.dataoffsets[0]
    for at in range(first + 2, len(whole), 997):
        content = bytearray(whole)
        content[at] ^= 4
        path.write_bytes(content)
        with pytest.raises(MicrographError, match="strip 0, which"):
            read_micrograph(path)


def one_strip(path, compression, data, *, height=3, rows=3):
    """Write a page 5 pixels wide, of strips that each hold the same data."""
    count = -(-height // rows)
    entries = [(256, 5), (257, height), (258, 8), (259, compression), (262, 1)]
    entries += [(277, 1), (278, rows)]
    at = 8 + 2 + 12 * 9 + 4
    offsets = [at + n * len(data) for n in range(count)]
    tables = at + count * len(data)
    ifd = [(c, 1, struct.pack("<I", v)) for c, v in entries]
    if count == 1:
        ifd += [(273, 1, struct.pack("<I", at)), (279, 1, struct.pack("<I", len(data)))]
    else:
        ifd += [(273, count, struct.pack("<I", tables))]
        ifd += [(279, count, struct.pack("<I", tables + 4 * count))]
    packed = b"".join(
        struct.pack("<HHI", code, 4, n) + value for code, n, value in sorted(ifd)
    )
    head = struct.pack("<2sHIH", b"II", 42, 8, len(ifd)) + packed + bytes(4)
    lists = struct.pack(f"<{2 * count}I", *offsets, *[len(data)] * count)
    path.write_bytes(head + data * count + lists)


ROWS = bytes(range(15))


@pytest.mark.parametrize(
    ("compression", "data", "is_whole"),
    [
        (8, zlib.compress(ROWS), True),
        (8, zlib.compress(ROWS)[:-1], False),  # without the end of its checksum
        (8, zlib.compress(ROWS[:-1]), False),
        (8, zlib.compress(ROWS + b"\0"), False),
        (32773, b"\x0e" + ROWS, True),
        (32773, b"\x0e" + ROWS + b"\0", True),  # of even length
        (32773, b"\x80\x0e" + ROWS, True),  # 128 stands for nothing
        (32773, b"\xf2\x07", True),  # 15 times 7
        (32773, b"\xf3\x07", False),
        (32773, b"\x0e" + ROWS[:-1], False),
        (32773, b"\x0e" + ROWS + b"\0\0", False),
    ],
)
def test_a_strip_must_give_its_pixels_and_no_more(
    tmp_path, compression, data, is_whole
):
    one_strip(tmp_path / "a.tif", compression, data)
    if is_whole:
        assert read_micrograph(tmp_path / "a.tif").shape == (3, 5)
    else:
        with pytest.raises(MicrographError, match="unpack to its 15 bytes"):
            read_micrograph(tmp_path / "a.tif")


def test_the_last_strip_may_reach_below_the_image(tmp_path):
    path = tmp_path / "a.tif"
    one_strip(path, 8, zlib.compress(ROWS), height=4)

    with tifffile.TiffFile(path) as file:
        require_whole_strips(path, file.pages.first)
    np.testing.assert_array_equal(
        read_micrograph(path).pixels.ravel(), [*ROWS, *ROWS[:5]]
    )
