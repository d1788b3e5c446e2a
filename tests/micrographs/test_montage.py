import numpy as np
import pytest
import tifffile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs import montage
from defectkeras.micrographs.montage import is_montage, open_montage, require_memory
from defectkeras.micrographs.read import read_micrograph


@pytest.fixture
def path(tmp_path):
    pixels = np.random.default_rng(0).normal(size=(90, 140)).astype(np.float32)
    pixels[50, 7] = 9
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, pixels, tile=(32, 32), photometric="minisblack")
    return path


def test_rows_and_calibration_are_those_of_the_micrograph(path):
    whole = read_micrograph(path, pixel_size_nm=0.5)
    with open_montage(path, pixel_size_nm=0.5) as opened:
        assert opened.shape == whole.shape
        assert opened.calibration == whole.calibration
        np.testing.assert_array_equal(opened.read_rows(40, 60), whole.pixels[40:60])


def test_the_data_bar_is_left_out(tmp_path, write_sem):
    pixels = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
    path = write_sem(tmp_path / "sem.tif", pixels, bar_px=4)
    whole = read_micrograph(path)
    with open_montage(path) as opened:
        assert opened.shape == whole.shape == (16, 30)
        assert opened.data_bar_px == whole.data_bar_px == 4


def test_the_size_decides_and_only_of_formats_that_can_be_read_by_rows(
    path, tmp_path, monkeypatch
):
    assert not is_montage(path)
    monkeypatch.setattr(montage, "LARGEST_WHOLE_PX", 1000)
    assert is_montage(path)
    assert not is_montage(tmp_path / "field.png")
    assert not is_montage(tmp_path / "nothing.tif")  # told by who reads it
    (tmp_path / "empty.tif").write_bytes(b"")
    assert not is_montage(tmp_path / "empty.tif")
    (tmp_path / "bad.tif").write_bytes(b"no micrograph")
    with pytest.raises(MicrographError, match=r"bad\.tif"):
        is_montage(tmp_path / "bad.tif")


def test_a_small_palette_is_no_montage(tmp_path):
    colors = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))
    path = tmp_path / "palette.tif"
    pixels = (np.arange(600) % 256).astype(np.uint8).reshape(20, 30)
    tifffile.imwrite(path, pixels, photometric="palette", colormap=colors)
    assert not is_montage(path)
    np.testing.assert_array_equal(read_micrograph(path).pixels, pixels * 257.0)


def test_memory_that_is_not_there_is_told(path, monkeypatch):
    require_memory(path)
    monkeypatch.setattr(montage, "WHOLE_BYTES_PER_PX", 2**50)
    with pytest.raises(MicrographError, match=r"90 x 140 px must fit .* GiB free"):
        require_memory(path)


def test_rows_that_are_no_numbers_are_told(path):
    tifffile.imwrite(path, np.full((20, 30), np.nan, np.float32))
    with open_montage(path) as opened, pytest.raises(MicrographError, match="finite"):
        opened.read_rows(0, 5)
