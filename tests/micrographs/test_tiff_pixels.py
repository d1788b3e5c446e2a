import numpy as np
import pytest
import tifffile
from PIL import Image

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs import tiff_pixels
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
@pytest.mark.parametrize("code", [33003, 34712, 34887, 34933, 50001, 50002])
def test_other_compressions_are_refused_and_no_page_of_zeros(tmp_path, pixels, code):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, compression="zlib", rowsperstrip=37)
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages.first.tags[259].overwrite(code)

    with pytest.raises(MicrographError, match="Save it uncompressed"):
        read_micrograph(path)


@pytest.mark.parametrize("compression", ["zstd", "lzma"])
@pytest.mark.parametrize(
    "how", [{}, {"predictor": True}, {"photometric": "miniswhite"}, {"tile": (16, 32)}]
)
@pytest.mark.parametrize("pixels", [GREY8, GREY8 * np.uint16(256)])
def test_zstandard_and_lzma_are_read_by_imagecodecs(tmp_path, pixels, how, compression):
    pytest.importorskip("imagecodecs")
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, compression=compression, **how)

    np.testing.assert_array_equal(
        decoded(path), ~pixels if "photometric" in how else pixels
    )


def test_zstandard_without_imagecodecs_says_what_to_install(tmp_path, monkeypatch):
    pytest.importorskip("imagecodecs")
    tifffile.imwrite(tmp_path / "a.tif", GREY8, compression="zstd")
    monkeypatch.setattr(tiff_pixels, "find_spec", lambda name: None)

    with pytest.raises(MicrographError, match=r"ZSTD.*defectkeras\[montages\]"):
        read_micrograph(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", ["zlib", "lzw", "packbits"])
@pytest.mark.parametrize("alpha", [None, 2])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colors_keep_their_order(tmp_path, dtype, alpha, compression):
    """Annotations are drawn in colors, in which red is not blue."""
    channels = 3 if alpha is None else 4
    color = np.arange(5 * 7 * channels, dtype=dtype).reshape(5, 7, channels)
    extra = {} if alpha is None else {"extrasamples": [alpha]}
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, color, photometric="rgb", compression=compression, **extra)

    np.testing.assert_array_equal(decoded(path), color)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate"])
def test_grey_with_alpha_keeps_its_alpha(tmp_path, compression):
    both = np.stack([GREY8, GREY8[::-1]], axis=-1)
    Image.fromarray(both).save(tmp_path / "a.tif", compression=compression)

    np.testing.assert_array_equal(decoded(tmp_path / "a.tif"), both)


def test_only_a_palette_has_colors(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY8, **OF_A_PALETTE)
    tifffile.imwrite(tmp_path / "b.tif", GREY8)

    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        np.testing.assert_array_equal(palette_of_page(file.pages.first), RAMP.T)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert palette_of_page(file.pages.first) is None
