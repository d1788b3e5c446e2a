import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import MAX_PIXELS, to_grey
from defectkeras.micrographs.raster import read_bmp, read_jpeg, read_png
from defectkeras.micrographs.read import read_micrograph

GREY8 = np.arange(15, dtype=np.uint8).reshape(3, 5) * 17
GREY16 = np.arange(15, dtype=np.uint16).reshape(3, 5) * 4321


def png_bytes(width, height, bit_depth, color_type, rows):
    """A PNG made by hand, as other programs may write it."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, bit_depth, color_type, 0, 0, 0)
    data = zlib.compress(rows, 9)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_bmp_keeps_its_grey_levels(tmp_path, mode):
    Image.fromarray(GREY8).convert(mode).save(tmp_path / "a.bmp")

    frame = read_bmp(tmp_path / "a.bmp", None, MAX_PIXELS)

    assert frame.scale is None
    np.testing.assert_array_equal(to_grey(frame), GREY8)


@pytest.mark.parametrize("pixels", [GREY8, GREY16], ids=["8 bit", "16 bit"])
def test_png_keeps_its_grey_levels(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.png")

    frame = read_png(tmp_path / "a.png", None, MAX_PIXELS)

    assert frame.pixels.dtype == pixels.dtype
    assert frame.scale is None
    np.testing.assert_array_equal(frame.pixels, pixels)


@pytest.mark.parametrize("count", [1, 512, None], ids=["byte", "sector", "tail"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_png_damaged_inside_is_refused(tmp_path, dtype, count):
    """A copy that broke off may have its whole length, filled up with zeros."""
    slopes = np.add.outer(np.arange(93), np.arange(131)) % 97
    noise = np.random.default_rng(0).integers(0, 9, slopes.shape)
    Image.fromarray((slopes + noise).astype(dtype)).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    end = len(content) if count is None else 2000 + count
    content[2000:end] = bytes(end - 2000)
    (tmp_path / "a.png").write_bytes(content)

    with pytest.raises(MicrographError, match=r"a\.png: must be a whole"):
        read_micrograph(tmp_path / "a.png")


def test_palette_stays_indices(tmp_path):
    image = Image.fromarray(GREY8 % 3, mode="P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])
    image.save(tmp_path / "a.png")

    frame = read_png(tmp_path / "a.png", None, MAX_PIXELS)

    np.testing.assert_array_equal(frame.pixels, GREY8 % 3)
    np.testing.assert_array_equal(frame.palette[1:3], [[255, 0, 0], [0, 0, 255]])


def test_bilevel_is_read(tmp_path):
    Image.fromarray(GREY8 > 100).save(tmp_path / "a.png")

    frame = read_png(tmp_path / "a.png", None, MAX_PIXELS)

    np.testing.assert_array_equal(frame.pixels, GREY8 > 100)


def test_text_becomes_metadata(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Detector", "HAADF")
    Image.fromarray(GREY8).save(tmp_path / "a.png", pnginfo=info, dpi=(300, 300))

    frame = read_png(tmp_path / "a.png", None, MAX_PIXELS)

    assert frame.metadata == {"Detector": "HAADF"}


def test_16_bit_color_is_refused_since_half_of_it_would_be_lost(tmp_path):
    rows = b"".join(b"\0" + row.tobytes() for row in np.zeros((2, 3, 3), ">u2"))
    (tmp_path / "a.png").write_bytes(png_bytes(3, 2, 16, 2, rows))

    with pytest.raises(MicrographError, match="16-bit color"):
        read_png(tmp_path / "a.png", None, MAX_PIXELS)


def test_animation_needs_a_frame_number(tmp_path):
    images = [Image.fromarray(GREY8 + n) for n in range(3)]
    images[0].save(tmp_path / "a.png", save_all=True, append_images=images[1:])

    with pytest.raises(MicrographError, match="3 frames"):
        read_png(tmp_path / "a.png", None, MAX_PIXELS)
    frame = read_png(tmp_path / "a.png", 2, MAX_PIXELS)
    np.testing.assert_array_equal(to_grey(frame), GREY8 + 2)


def test_jpeg_is_near_the_truth(tmp_path):
    row = np.linspace(20, 220, 48)
    pixels = np.tile(row, (32, 1)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)

    read = read_jpeg(tmp_path / "a.jpg", None, MAX_PIXELS).pixels

    assert np.abs(read.astype(int) - pixels).max() <= 3


def test_exif_rotation_is_not_applied_as_masks_have_none(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    Image.fromarray(GREY8).save(tmp_path / "a.jpg", exif=exif)

    assert read_jpeg(tmp_path / "a.jpg", None, MAX_PIXELS).pixels.shape == (3, 5)


def test_print_colors_are_refused(tmp_path):
    Image.new("CMYK", (5, 3)).save(tmp_path / "a.jpg")

    with pytest.raises(MicrographError, match="CMYK"):
        read_jpeg(tmp_path / "a.jpg", None, MAX_PIXELS)


def test_no_other_format_is_tried(tmp_path):
    Image.fromarray(GREY8).save(tmp_path / "a.gif")
    (tmp_path / "a.gif").rename(tmp_path / "a.png")

    with pytest.raises(SyntaxError):  # `read_micrograph` makes a MicrographError of it
        read_png(tmp_path / "a.png", None, MAX_PIXELS)


def test_a_bomb_is_refused_by_its_header(tmp_path):
    side = 9000
    path = tmp_path / "bomb.png"
    path.write_bytes(png_bytes(side, side, 8, 0, bytes(side * (side + 1))))
    assert path.stat().st_size < 100_000

    tracemalloc.start()
    with pytest.raises(MicrographError, match="9000 x 9000"):
        read_png(path, None, side * side - 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


def test_our_limit_holds_where_pillow_would_refuse(tmp_path):
    width, height = 14_000, 13_000  # above Pillow's 178956970 pixels
    rows = bytes(height * (1 + (width + 7) // 8))
    (tmp_path / "mosaic.png").write_bytes(png_bytes(width, height, 1, 0, rows))

    with pytest.raises(MicrographError, match="13000 x 14000"):
        read_png(tmp_path / "mosaic.png", None, 10_000)
    assert read_png(tmp_path / "mosaic.png", None, MAX_PIXELS).pixels.shape == (
        height,
        width,
    )
