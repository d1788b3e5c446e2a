import struct
import time
import tracemalloc
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from defectkeras.core.errors import CalibrationError, MicrographError
from defectkeras.micrographs.find import find_micrographs
from defectkeras.micrographs.read import (
    READERS,
    errors_that_name,
    read_frame,
    read_micrograph,
    readable_suffixes,
)

PIXELS = np.arange(35, dtype=np.uint16).reshape(5, 7) * 5
FEI = "[Scan]\nPixelWidth=2e-9\nPixelHeight=2e-9\n"


@pytest.fixture
def samples(tmp_path, write_dm4, write_velox, write_ser):
    """Whole files of each format; a JPEG is the one that is not exact."""
    fei = [(34682, 2, None, FEI, True)]
    tifffile.imwrite(tmp_path / "plain.tif", PIXELS, extratags=fei)
    tifffile.imwrite(tmp_path / "packed.tif", PIXELS, compression="zlib")
    tifffile.imwrite(tmp_path / "imagej.tif", PIXELS, imagej=True)
    tifffile.imwrite(tmp_path / "tiled.tiff", PIXELS, tile=(16, 16), bigtiff=True)
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    Image.fromarray(PIXELS.astype(np.uint8)).save(tmp_path / "a.jpg")
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(PIXELS)
    write_dm4(PIXELS, HV=200.0)
    write_velox({"HAADF": PIXELS[..., None]})
    write_ser(PIXELS, size_m=2e-9)
    return sorted(tmp_path.iterdir())


def test_every_format_gives_float32_pixels(samples):
    for path in samples:
        micrograph = read_micrograph(path)

        assert micrograph.pixels.dtype == np.float32
        assert micrograph.pixels.flags.c_contiguous
        assert micrograph.name == path.stem
        if path.suffix not in (".jpg", ".ser"):
            np.testing.assert_array_equal(micrograph.pixels, PIXELS)


def test_sizes_of_the_user_go_before_those_of_the_file(samples):
    path = next(p for p in samples if p.name == "plain.tif")

    calibration = read_micrograph(path).calibration
    assert calibration.pixel_size_nm == 2.0
    assert calibration.pixel_size_source == "file tag 34682"
    assert calibration.foil_thickness_source == "none"

    calibration = read_micrograph(
        str(path), pixel_size_nm=3, foil_thickness_nm=100
    ).calibration
    assert calibration.pixel_size_nm == 3.0
    assert calibration.pixel_size_source == "user"
    assert calibration.foil_thickness_nm == 100.0
    assert calibration.foil_thickness_source == "user"


@pytest.mark.parametrize("size_nm", [0.0, -1.0, float("nan"), float("inf")])
def test_sizes_of_the_user_are_checked(samples, size_nm):
    with pytest.raises(CalibrationError, match="pixel_size_nm"):
        read_micrograph(samples[0], pixel_size_nm=size_nm)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(MicrographError, match="Received: a folder"):
        read_micrograph(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("missing.tif", None, "nothing of this name"),
        ("empty.tif", b"", "an empty file"),
        ("notes.txt", b"x", "suffix '.txt'"),
        ("a.tiif", b"x", r"Did you mean '\.tif"),
        ("none", b"x", "suffix ''"),
        ("a.gif", b"x", "convert it to TIFF"),
        ("a.mrc.gz", b"x", r"must be unpacked.*give the \.mrc file"),
        ("a.TIF.zip", b"x", r"must be unpacked.*give the \.TIF file"),
        ("notes.txt.gz", b"x", "suffix '.gz'"),
        ("text.bmp", b"x", "must be a whole"),
        ("text.tif", b"not an image", r"must be a whole \.tif file.* not a TIFF"),
        ("no_page.tif", b"II*\0\0\0\0\0", "TIFF file without a page"),
        ("text.png", b"not an image", "must be a whole"),
        ("text.mrc", b"not an image", "MRC2014"),
        ("text.emd", b"not an image", "must be a whole"),
        ("text.dm4", b"not an image at all, but text", "version"),
        ("UPPER.TIF", b"not an image", "must be a whole"),
    ],
)
def test_wrong_files_get_one_line_with_their_name(tmp_path, name, content, what):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(MicrographError, match=what) as caught:
        read_micrograph(path)

    message = str(caught.value)
    assert message.startswith(f"{path}: must ")
    assert message.isprintable()
    assert len(message) < 400 + len(str(path))


def test_a_suffix_like_no_other_is_told_all_that_are_known(tmp_path):
    (tmp_path / "a.bcf").write_bytes(b"x")

    with pytest.raises(MicrographError) as caught:
        read_micrograph(tmp_path / "a.bcf")

    assert ", ".join(sorted(READERS)) in str(caught.value)


@pytest.mark.parametrize("path", [".", "a\0b.tif", "x" * 3000 + ".tif"])
def test_paths_that_are_no_files_are_refused(path):
    with pytest.raises(MicrographError):
        read_micrograph(path)


def test_values_that_are_not_finite_are_refused(tmp_path):
    pixels = PIXELS.astype(np.float32)
    pixels[2, 3] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", pixels)

    with pytest.raises(MicrographError, match=r"a\.tif: must have finite.*1 pixel NaN"):
        read_micrograph(tmp_path / "a.tif")


def test_the_limit_is_checked_before_decoding(tmp_path, samples):
    big = np.zeros((2000, 3000), np.uint8)
    tifffile.imwrite(tmp_path / "big.tif", big, compression="zlib")
    Image.fromarray(big).save(tmp_path / "big.png")
    Image.fromarray(big).save(tmp_path / "big.jpg")

    tracemalloc.start()
    for suffix in (".tif", ".png", ".jpg"):
        with pytest.raises(MicrographError, match="2000 x 3000"):
            read_micrograph(tmp_path / f"big{suffix}", max_pixels=5_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    for path in samples:
        with pytest.raises(MicrographError, match="at most 34 pixels"):
            read_micrograph(path, max_pixels=34)


def test_a_truncated_file_is_refused_or_whole(samples):
    for path in samples:
        content = path.read_bytes()
        whole = read_micrograph(path).pixels
        for length in range(0, len(content), max(1, len(content) // 50)):
            path.write_bytes(content[:length])
            try:
                pixels = read_micrograph(path).pixels
            except MicrographError:
                continue
            # Only what stands after the pixels was cut off.
            np.testing.assert_array_equal(pixels, whole)


# HDF5 is left out: libhdf5 itself may not come to an end with such a file.
FUZZED = [".tif", ".tiff", ".png", ".jpg", ".mrc", ".dm4", ".ser"]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damaged_bytes_raise_nothing_else(samples, data):
    files = [p for p in samples if p.suffix in FUZZED]
    path = data.draw(st.sampled_from(files))
    original = path.read_bytes()
    content = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(content) - 1, 1200)))
        new = data.draw(
            st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\x80\0"])
            | st.binary(min_size=1, max_size=4)
        )
        content[at : at + len(new)] = new

    path.write_bytes(content)
    begin = time.monotonic()
    try:
        read_micrograph(path)
    except MicrographError:
        pass
    finally:
        path.write_bytes(original)
    assert time.monotonic() - begin < 10


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(suffix=st.sampled_from(FUZZED), content=st.binary(max_size=300))
def test_random_bytes_are_refused(tmp_path, suffix, content):
    path = tmp_path / f"random{suffix}"
    path.write_bytes(content)

    with pytest.raises(MicrographError):
        read_micrograph(path)


def test_frame_keeps_the_type_of_the_file(samples):
    path = next(p for p in samples if p.name == "a.png")

    assert read_frame(path).pixels.dtype == np.uint16


def test_every_error_becomes_one_printable_line():
    with pytest.raises(MicrographError) as caught, errors_that_name(Path("a.tif")):
        raise RuntimeError("two\nlines \x1b[31m" + 10_000 * "x")

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("error", [struct.error("unpack requires 8"), EOFError()])
def test_a_file_that_ends_within_an_entry_is_truncated(tmp_path, error):
    path = tmp_path / "a.dm4"
    path.write_bytes(b"123")
    with (
        pytest.raises(MicrographError, match=r"Received: 3 bytes .* truncated"),
        errors_that_name(path),
    ):
        raise error


def test_every_reader_has_a_name():
    assert set(readable_suffixes()) <= set(READERS)
    assert readable_suffixes()[".mrc"] == "mrc"


@pytest.mark.parametrize(
    "name",
    ["loops_316l", "loops_ti", "precipitates_cr", "precipitates_ni", "cracks_ebc"],
)
def test_real_micrographs(shared_data, name):
    path = find_micrographs([shared_data(name) / "images"])[0]

    micrograph = read_micrograph(path)

    assert min(micrograph.shape) > 300
    assert micrograph.calibration.pixel_size_source == "none"
    assert np.ptp(micrograph.pixels) > 50
