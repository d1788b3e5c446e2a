import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import MAX_PIXELS, to_grey
from defectkeras.micrographs.read import read_micrograph
from defectkeras.micrographs.tiff import read_tiff

RNG = np.random.default_rng(0)
GREY8 = RNG.integers(0, 256, (37, 53), dtype=np.uint8)
GREY16 = RNG.integers(0, 65536, (37, 53), dtype=np.uint16)
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]


def pixels_of(path, frame=None):
    return to_grey(read_tiff(path, frame, MAX_PIXELS))


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_is_read_exactly(tmp_path, dtype, byteorder, compression):
    path = tmp_path / "a.tif"
    pixels = (GREY16.astype(np.float64) - 100).astype(dtype)
    tifffile.imwrite(path, pixels, byteorder=byteorder, compression=compression)

    np.testing.assert_array_equal(pixels_of(path), pixels)


@pytest.mark.parametrize(
    "how",
    [
        {"rowsperstrip": 5},
        {"tile": (16, 32)},
        {"bigtiff": True},
        {"compression": "zlib", "predictor": True, "rowsperstrip": 7},
    ],
)
def test_layouts_are_read_exactly(tmp_path, how):
    tifffile.imwrite(tmp_path / "a.tif", GREY16, **how)

    np.testing.assert_array_equal(pixels_of(tmp_path / "a.tif"), GREY16)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_bits_that_share_bytes_are_told(tmp_path, compression):
    """Such files are shorter than their pixels, and not truncated."""
    Image.fromarray(GREY8 > 99).save(tmp_path / "a.tif", compression=compression)

    with pytest.raises(MicrographError, match="Received: 1 bit"):
        pixels_of(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_deflate"])
@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bit", "16 bit"])
def test_compressions_are_read_exactly(tmp_path, pixels, compression):
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression=compression)

    np.testing.assert_array_equal(pixels_of(tmp_path / "a.tif"), pixels)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bit", "16 bit"])
def test_white_is_turned_to_be_bright(tmp_path, pixels, compression):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="miniswhite", compression=compression)

    np.testing.assert_array_equal(pixels_of(path), np.iinfo(pixels.dtype).max - pixels)


@pytest.mark.parametrize(
    ("planar", "compression"),
    [("contig", None), ("contig", "zlib"), ("separate", None)],
)
def test_grey_rgb_is_accepted_and_color_is_not(tmp_path, planar, compression):
    axis = -1 if planar == "contig" else 0
    how = {"photometric": "rgb", "planarconfig": planar, "compression": compression}
    grey = np.stack([GREY16] * 3, axis=axis)
    tifffile.imwrite(tmp_path / "grey.tif", grey, **how)
    color = np.stack([GREY16, GREY16, GREY16 + 1], axis=axis)
    tifffile.imwrite(tmp_path / "color.tif", color, **how)

    np.testing.assert_array_equal(pixels_of(tmp_path / "grey.tif"), GREY16)
    with pytest.raises(MicrographError, match="color"):
        pixels_of(tmp_path / "color.tif")


def test_compressed_planes_of_channels_are_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.stack([GREY16] * 3),
        photometric="rgb",
        planarconfig="separate",
        compression="zlib",
    )

    with pytest.raises(MicrographError, match="uncompressed"):
        pixels_of(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_palette_is_kept_beside_the_indices(tmp_path, compression):
    ramp = np.stack([np.arange(256) * 257] * 3).astype(np.uint16)  # as ZEISS writes
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, GREY8, photometric="palette", colormap=ramp, compression=compression
    )

    frame = read_tiff(path, None, MAX_PIXELS)

    np.testing.assert_array_equal(frame.pixels, GREY8)
    np.testing.assert_array_equal(to_grey(frame), GREY8 * np.uint16(257))


def write_pages(path, pages):
    with tifffile.TiffWriter(path) as writer:
        for page, how in pages:
            writer.write(page, contiguous=False, metadata=None, **how)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_stack_needs_a_frame_number(tmp_path, compression):
    how = {"compression": compression}
    write_pages(tmp_path / "a.tif", [(GREY16 + n, how) for n in range(4)])

    told = r"stack in 4 pages\. Choose one with analyze --frame, from 0, or save it"
    with pytest.raises(MicrographError, match=told):
        pixels_of(tmp_path / "a.tif")
    np.testing.assert_array_equal(pixels_of(tmp_path / "a.tif", 3), GREY16 + 3)
    for wrong in (4, -1):
        with pytest.raises(MicrographError, match="must have frame"):
            pixels_of(tmp_path / "a.tif", wrong)


def test_a_stack_cut_off_behind_its_first_page_is_refused(tmp_path):
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, np.stack([GREY16] * 3), photometric="minisblack")
    path.write_bytes(path.read_bytes()[: GREY16.nbytes * 2])
    with pytest.raises(MicrographError, match=r"must be whole.*copy it again"):
        read_micrograph(path)


def test_thumbnails_and_burnt_in_copies_are_no_frames(tmp_path):
    thumbnail = (GREY8[::4, ::4], {"subfiletype": 1})
    burnt_in = (GREY8, {})  # JEOL: a second page of 8 bit with the scale bar
    write_pages(tmp_path / "a.tif", [thumbnail, (GREY16, {}), burnt_in])

    np.testing.assert_array_equal(pixels_of(tmp_path / "a.tif"), GREY16)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("small", [[4], [4, 2]], ids=["thumbnail", "pyramid"])
def test_small_first_pages_are_no_frames_without_a_flag_either(tmp_path, small, dtype):
    """Of two makers that store the overview, or the smallest level, first."""
    pages = [(GREY8[::n, ::n].astype(dtype), {}) for n in small]
    resolution = {"resolution": (1e6, 1e6), "resolutionunit": "CENTIMETER"}
    pages = [(page, resolution) for page, _ in pages] + [(GREY16, {})]
    write_pages(tmp_path / "a.tif", pages)

    frame = read_tiff(tmp_path / "a.tif", None, MAX_PIXELS)

    np.testing.assert_array_equal(frame.pixels, GREY16)
    assert frame.scale is None  # that of the thumbnail is its own
    write_pages(tmp_path / "stack.tif", [*pages, (GREY16 + 1, {})])
    with pytest.raises(MicrographError, match="one frame at a time"):
        pixels_of(tmp_path / "stack.tif")
    np.testing.assert_array_equal(pixels_of(tmp_path / "stack.tif", 1), GREY16 + 1)


def test_a_pyramid_gives_its_full_resolution(tmp_path):
    pages = [(GREY16[::n, ::n], {}) for n in (1, 2, 4)]
    write_pages(tmp_path / "a.tif", pages)

    np.testing.assert_array_equal(pixels_of(tmp_path / "a.tif"), GREY16)


def test_a_copy_with_a_bar_below_makes_no_thumbnail_of_the_image(tmp_path):
    with_bar = np.vstack([GREY16, GREY16[:25]])
    write_pages(tmp_path / "a.tif", [(GREY16, {}), (with_bar, {})])

    np.testing.assert_array_equal(pixels_of(tmp_path / "a.tif"), GREY16)


def test_imagej_stack_in_one_page_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([GREY16] * 3), imagej=True, truncate=True)

    with pytest.raises(MicrographError, match="ImageJ stack of 3"):
        read_tiff(path, 1, MAX_PIXELS)


def test_volume_in_one_page_is_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((16, 32, 48), np.uint8),
        tile=(16, 16, 16),
        volumetric=True,
    )

    with pytest.raises(MicrographError, match="volume of 16 planes"):
        pixels_of(tmp_path / "a.tif")


def test_five_channels_are_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((7, 9, 5), np.uint8),
        photometric="minisblack",
        planarconfig="contig",
    )

    with pytest.raises(MicrographError, match="5 channels"):
        pixels_of(tmp_path / "a.tif")


@pytest.mark.parametrize("photometric", ["cielab", "separated"])
def test_other_color_spaces_are_refused(tmp_path, photometric):
    channels = 4 if photometric == "separated" else 3
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((7, 9, channels), np.uint8),
        photometric=photometric,
    )

    with pytest.raises(MicrographError, match="color space"):
        pixels_of(tmp_path / "a.tif")


def test_complex_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY8.astype(np.complex64))

    with pytest.raises(MicrographError, match="complex"):
        pixels_of(tmp_path / "a.tif")


def tiff_by_hand(width, height, *, offset=8, count=16, next_ifd=0, compression=1):
    """A little-endian TIFF of one page whose header may lie."""
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, compression),
        (262, 3, 1),
        (273, 4, offset),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, count),
    ]
    ifd = struct.pack("<H", len(entries))
    for code, kind, value in entries:
        ifd += struct.pack("<HHII", code, kind, 1, value)
    return struct.pack("<2sHI", b"II", 42, 24) + bytes(16) + ifd, next_ifd


@pytest.mark.parametrize(
    ("width", "height", "how"),
    [
        (60_000, 60_000, {}),  # over the limit
        (16_000, 16_000, {}),  # under the limit, but not in the file
        (16_000, 16_000, {"compression": 8}),
        (2**32 - 1, 2**32 - 1, {}),
        (0, 0, {}),
        (4, 4, {"offset": 2**31}),  # a strip beyond the end
    ],
)
def test_header_that_lies_costs_no_memory(tmp_path, width, height, how):
    data, next_ifd = tiff_by_hand(width, height, **how)
    (tmp_path / "a.tif").write_bytes(data + struct.pack("<I", next_ifd))

    tracemalloc.start()
    with pytest.raises(MicrographError, match="Received"):
        read_micrograph(tmp_path / "a.tif")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 5_000_000


def test_pages_that_refer_to_each_other_in_a_circle_end(tmp_path):
    data, _ = tiff_by_hand(4, 4)
    (tmp_path / "a.tif").write_bytes(data + struct.pack("<I", 24))

    assert read_micrograph(tmp_path / "a.tif").shape == (4, 4)


def test_a_hundred_thousand_pages_are_refused_soon(tmp_path):
    data, _ = tiff_by_hand(4, 4)
    head, ifd = data[:24], data[24:]
    step = len(ifd) + 4
    nexts = [24 + step * (n + 1) for n in range(100_000 - 1)] + [0]
    chain = b"".join(ifd + struct.pack("<I", offset) for offset in nexts)
    (tmp_path / "a.tif").write_bytes(head + chain)

    with pytest.raises(MicrographError, match="stack"):
        read_micrograph(tmp_path / "a.tif")


def test_a_strip_that_inflates_without_end_is_bounded(tmp_path):
    bomb = zlib.compress(bytes(100_000_000), 9)  # 0.1 GB where 16 bytes belong
    data, _ = tiff_by_hand(4, 4, compression=8, offset=1000, count=len(bomb))
    file = (data + bytes(4)).ljust(1000, b"\0") + bomb
    (tmp_path / "a.tif").write_bytes(file)

    tracemalloc.start()
    with pytest.raises(MicrographError, match="does not unpack to its 16 bytes"):
        read_micrograph(tmp_path / "a.tif")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 10_000_000


def test_a_damaged_file_leaves_the_terminal_alone(tmp_path, capfd):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY16, compression="zlib")
    path.write_bytes(path.read_bytes()[:-500])

    with pytest.raises(MicrographError, match="damaged"):
        read_micrograph(path)
    assert capfd.readouterr() == ("", "")
