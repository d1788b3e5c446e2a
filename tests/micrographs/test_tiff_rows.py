import numpy as np
import pytest
import tifffile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.montage import open_montage
from defectkeras.micrographs.tiff_rows import open_tiff_rows

PIXELS = np.random.default_rng(0).integers(0, 60000, (150, 230)).astype(np.uint16)

LAYOUTS = {
    "plain": {},
    "big": {"bigtiff": True},
    "motorola": {"byteorder": ">"},
    "strips": {"rowsperstrip": 32, "compression": "zlib"},
    "tiles": {"tile": (48, 64), "compression": "zlib", "bigtiff": True},
    "predicted": {"tile": (48, 64), "compression": "zlib", "predictor": True},
    "tiles_motorola": {"tile": (48, 64), "byteorder": ">"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_are_those_of_the_file(tmp_path, layout):
    path = tmp_path / "montage.tif"
    tifffile.imwrite(path, PIXELS, photometric="minisblack", **LAYOUTS[layout])
    with open_tiff_rows(path, None) as rows:
        assert rows.shape == PIXELS.shape
        for first, stop in ((0, 1), (40, 100), (143, 150), (0, 150)):
            found = rows.read_rows(first, stop)
            np.testing.assert_array_equal(found, PIXELS[first:stop])
            assert found.dtype == np.uint16


def test_white_is_zero(tmp_path):
    path = tmp_path / "film.tif"
    tifffile.imwrite(path, PIXELS, photometric="miniswhite", tile=(32, 32))
    with open_tiff_rows(path, None) as rows:
        np.testing.assert_array_equal(rows.read_rows(3, 9), ~PIXELS[3:9])


def test_a_frame_of_a_stack(tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.stack([PIXELS, PIXELS + 1]), tile=(64, 64))
    with open_tiff_rows(path, 1) as rows:
        np.testing.assert_array_equal(rows.read_rows(0, 5), PIXELS[:5] + 1)
    with pytest.raises(MicrographError, match="--frame"), open_tiff_rows(path, None):
        pass


def test_what_cannot_be_read_by_rows_is_told(tmp_path):
    path = tmp_path / "planes.tif"
    planes = np.stack([PIXELS] * 3)
    tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    with open_montage(path) as montage, pytest.raises(MicrographError, match="planes"):
        montage.read_rows(0, 5)


def test_a_truncated_file_is_told(tmp_path):
    path = tmp_path / "half.tif"
    tifffile.imwrite(path, PIXELS, tile=(64, 64), compression="zlib", bigtiff=True)
    path.write_bytes(path.read_bytes()[:-5000])
    told = pytest.raises(MicrographError, match=r"half\.tif")
    with open_montage(path) as montage, told:
        montage.read_rows(0, 150)
