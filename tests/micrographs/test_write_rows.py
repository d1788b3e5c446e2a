import numpy as np
import pytest
import tifffile

from defectkeras.micrographs.read import read_micrograph
from defectkeras.micrographs.write_rows import write_tiled_tiff


def test_it_is_read_back_with_its_pixel_size(tmp_path):
    values = np.random.default_rng(0).integers(0, 4, (700, 530)).astype(np.uint8)
    path = tmp_path / "map.tif"
    write_tiled_tiff(
        path, lambda a, b: values[a:b], values.shape, dtype=np.uint8, pixel_size_nm=0.25
    )
    found = read_micrograph(path)
    np.testing.assert_array_equal(found.pixels, values)
    assert found.calibration.pixel_size_nm == pytest.approx(0.25)
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        assert file.pages[0].is_tiled
