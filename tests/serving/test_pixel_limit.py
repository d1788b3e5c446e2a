import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from defectkeras.serving.pixel_limit import (
    count_pixels,
    require_few_numbers,
    require_few_pixels,
)
from defectkeras.serving.status import StatusError


def files(*data):
    return {"image_bytes": np.array(data, dtype=object)}


def png_that_promises(height, width):
    """Give the head of a PNG file and hardly anything behind it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    checked = head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + checked + b"\0\0\0\1IDAT\0"


def test_arrays_and_files_are_counted():
    image = np.zeros((30, 50, 1), np.uint8)
    png, jpeg = tf.io.encode_png(image).numpy(), tf.io.encode_jpeg(image).numpy()
    assert count_pixels({"image": image[np.newaxis]}) == 1500
    assert count_pixels(files(png, jpeg)) == 3000
    for data in (b"", b"no image", png[:20], b"GIF89a" + bytes(20)):
        with pytest.raises(StatusError, match="PNG or JPEG"):
            count_pixels(files(png, data))


def test_numbers_of_json_are_counted_before_they_are_read():
    require_few_numbers(b"[0]," * 900, 10)
    with pytest.raises(StatusError, match="10 pixels at most but has 4000"):
        require_few_numbers(b"[0]," * 5000, 10)


@pytest.mark.parametrize("side", [11_000, 20_000, 2**31 - 1])
def test_a_bomb_is_seen_by_its_head_and_no_warning_is_written(side):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pixels = count_pixels(files(png_that_promises(side, side)))
    assert (pixels, caught) == (side**2, [])
    with pytest.raises(StatusError, match="pixels at most"):
        require_few_pixels(pixels, 2**24)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "WEBP"])
def test_all_forms_that_the_graph_reads_are_counted(form):
    written = io.BytesIO()
    Image.new("L", (50, 30)).convert("RGB").save(written, form)
    assert count_pixels(files(written.getvalue())) == 1500
