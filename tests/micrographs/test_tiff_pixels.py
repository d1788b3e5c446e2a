import numpy as np
import pytest
import tifffile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import read_micrograph
from defectkeras.micrographs.tiff_pixels import decode_page, palette_of_page

GREY8 = np.random.default_rng(0).integers(0, 256, (37, 53), dtype=np.uint8)
RAMP = np.stack([np.arange(256, dtype=np.uint16) * 257] * 3)
OF_A_PALETTE = {"photometric": "palette", "colormap": RAMP}


def decoded(path):
    with tifffile.TiffFile(path) as file:
        return decode_page(path, file.pages.first)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("pixels", "how"),
    [
        (GREY8, {}),
        (GREY8[:37, :37], {}),
        (GREY8 * np.uint16(256), {}),
        (GREY8, OF_A_PALETTE),
    ],
    ids=["8 bit", "square", "16 bit", "palette"],
)
def test_pixels_are_as_stored_whatever_the_orientation(
    tmp_path, pixels, how, orientation, compression
):
    tag = (274, "H", 1, orientation, True)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, compression=compression, extratags=[tag], **how)

    np.testing.assert_array_equal(decoded(path), pixels)


@pytest.mark.parametrize("pixels", [GREY8, GREY8 * np.uint16(256)])
@pytest.mark.parametrize("code", [33003, 34712, 34887, 34933, 50000, 50002])
def test_other_compressions_are_refused_and_no_page_of_zeros(tmp_path, pixels, code):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, compression="zlib", rowsperstrip=37)
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages.first.tags[259].overwrite(code)

    with pytest.raises(MicrographError, match="Save it uncompressed"):
        read_micrograph(path)


def test_only_a_palette_has_colors(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY8, **OF_A_PALETTE)
    tifffile.imwrite(tmp_path / "b.tif", GREY8)

    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        np.testing.assert_array_equal(palette_of_page(file.pages.first), RAMP.T)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert palette_of_page(file.pages.first) is None
