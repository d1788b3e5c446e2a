import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from defectkeras.core.calibration import Calibration
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.read import read_micrograph
from defectkeras.micrographs.write import write_micrograph

PIXELS = np.arange(15, dtype=np.float32).reshape(3, 5)


def write(path, pixels, *, size_nm=None, thickness_nm=None):
    calibration = Calibration(size_nm, thickness_nm)
    write_micrograph(Micrograph(pixels, calibration, "a"), path)


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pixels=arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 7)),
        elements=st.integers(-10, 70_000).map(float)
        | st.floats(allow_nan=False, allow_infinity=False, width=32),
    ),
    size_nm=st.none() | st.floats(1e-3, 1e4),
    thickness_nm=st.none() | st.floats(1e-3, 1e6),
)
def test_what_is_written_is_read_back(tmp_path, pixels, size_nm, thickness_nm):
    path = tmp_path / "a.tif"
    write(path, pixels, size_nm=size_nm, thickness_nm=thickness_nm)

    micrograph = read_micrograph(path)

    np.testing.assert_array_equal(micrograph.pixels, pixels)
    calibration = micrograph.calibration
    for found, source, expected in [
        (calibration.pixel_size_nm, calibration.pixel_size_source, size_nm),
        (
            calibration.foil_thickness_nm,
            calibration.foil_thickness_source,
            thickness_nm,
        ),
    ]:
        if expected is None:
            assert (found, source) == (None, "none")
        else:
            assert found == pytest.approx(expected, rel=1e-6)
            assert source.endswith("description")


@pytest.mark.parametrize(
    ("pixels", "dtype"),
    [
        (PIXELS, "uint8"),
        (PIXELS + 255, "uint16"),
        (PIXELS + 65_535, "float32"),
        (PIXELS - 1, "float32"),
        (PIXELS + 0.5, "float32"),
    ],
)
def test_the_smallest_exact_type_is_stored(tmp_path, pixels, dtype):
    write(tmp_path / "a.tif", pixels)

    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages.first.dtype == dtype


def test_imagej_finds_the_pixel_size(tmp_path):
    write(tmp_path / "a.tif", PIXELS, size_nm=0.25, thickness_nm=120.0)

    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.imagej_metadata["unit"] == "nm"
        numerator, denominator = file.pages.first.tags["XResolution"].value
    assert numerator / denominator == 4.0


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    write(path, PIXELS)

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(tifffile, "imwrite", fail)
    with pytest.raises(OSError, match="disk full"):
        write(path, PIXELS + 1)

    np.testing.assert_array_equal(read_micrograph(path).pixels, PIXELS)
    assert list(tmp_path.iterdir()) == [path]


def test_the_suffix_must_be_that_of_a_tiff(tmp_path):
    with pytest.raises(ValueError, match=r"\.tif"):
        write(tmp_path / "a.png", PIXELS)
