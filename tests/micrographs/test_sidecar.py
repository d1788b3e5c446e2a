import numpy as np
import pytest
import tifffile
from PIL import Image

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import read_micrograph
from defectkeras.micrographs.sidecar import number_of, parse_sidecar, sidecar_scale

PIXELS = np.random.default_rng(0).integers(90, 160, (96, 128), dtype=np.uint8)
# Of a JXA-8530F at 430 x, where 120 mm of a print are 279 um of the specimen.
JEOL = """$CM_FORMAT JEOL/SEM
$CM_MAG 430
$CM_TITLE a title with blanks
$CM_FULL_SIZE {width} 96
$$SM_MICRON_BAR 91
$$SM_MICRON_MARKER 10um
$AN_TEXT%0 5.0 "X:0.827\u00b5m"
"""
HITACHI = """[SemImageFile]
InstructName=TM3000
PixelSize={size}
DataSize=128x96
"""
TESCAN = """[MAIN]
Device=MIRA3 LMH
ImageStripSize=0
PixelSizeX=2.5e-009
PixelSizeY=2.5e-009

[SEM]
PixelSizeX=1
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, PIXELS)
    return path


def calibration_of(path):
    calibration = read_micrograph(path).calibration
    return calibration.pixel_size_nm, calibration.pixel_size_source


def test_jeol(path):
    beside = path.with_suffix(".txt")
    beside.write_text(JEOL.format(width=128), encoding="latin-1")
    size_nm, source = calibration_of(path)
    assert size_nm == pytest.approx(10_000 / 91, rel=1e-6)
    assert size_nm * 2560 == pytest.approx(120e6 / 430, rel=0.01)
    assert source == "field.txt"
    assert read_micrograph(path).metadata["JEOL"]["CM_TITLE"] == "a title with blanks"
    assert read_micrograph(path, pixel_size_nm=3.0).calibration.pixel_size_nm == 3.0


@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16"])
def test_hitachi(tmp_path, encoding):
    path = tmp_path / "field.bmp"
    Image.fromarray(PIXELS).save(path)
    path.with_suffix(".TXT").write_text(HITACHI.format(size=24.8), encoding=encoding)
    assert calibration_of(path) == (24.8, "field.TXT")


def test_tescan_beside_the_image(path):
    path.with_name("field-tif.hdr").write_text(TESCAN)
    assert calibration_of(path) == (2.5, "field-tif.hdr")


def test_tescan_in_a_tag(tmp_path):
    path = tmp_path / "field.tif"
    value = b"\x01\x07\x00\xc8" + TESCAN.encode()
    tifffile.imwrite(path, PIXELS, extratags=[(50431, 1, len(value), value, True)])
    assert calibration_of(path) == (2.5, "file tag 50431")


@pytest.mark.parametrize(
    "text",
    [
        JEOL.format(width=64),  # the image was scaled since
        JEOL.format(width=128).replace("10um", "10"),
        JEOL.format(width=128).replace("BAR 91", "BAR none"),
        HITACHI.format(size="none"),
        HITACHI.format(size="-24.8"),
        HITACHI.format(size="24.8").replace("128x", "1280x"),
        TESCAN.replace("PixelSizeX=2.5e-009", "PixelSizeX=nan"),
        "PixelSizeX=3.9\nPixelSizeY=3.9\n",  # of whatever unit
        "my notes\n",
        "",
    ],
)
def test_nothing_is_guessed(path, text):
    path.with_suffix(".txt").write_text(text, encoding="latin-1")
    assert calibration_of(path) == (None, "none")


def test_the_size_in_the_file_goes_before(tmp_path):
    path = tmp_path / "field.tif"
    tags = "[Beam]\nScan=EScan\n[EScan]\nPixelWidth=5e-9\nPixelHeight=5e-9\n"
    tifffile.imwrite(path, PIXELS, extratags=[(34682, 2, 1, tags, True)])
    path.with_suffix(".txt").write_text(HITACHI.format(size=24.8))
    assert calibration_of(path) == (5.0, "file tag 34682")


def test_the_size_beside_an_image_is_told_without_reading_it(tmp_path):
    image = tmp_path / "gone.png"
    assert sidecar_scale(image, (96, 128)) is None
    image.with_suffix(".txt").write_text(HITACHI.format(size=24.8))
    assert sidecar_scale(image, (96, 128)).rows == 24.8
    assert sidecar_scale(image, (96, 100)) is None  # it was cut


def test_bytes_that_are_no_text_are_passed_over(path, rng):
    path.with_suffix(".txt").write_bytes(rng.bytes(5000))
    assert calibration_of(path) == (None, "none")


def test_a_text_that_cannot_be_read_is_named(path, monkeypatch):
    beside = path.with_suffix(".txt")
    beside.write_text(HITACHI.format(size=24.8))
    opened = type(path).open

    def refuse(self, *args, **kwargs):
        if self == beside:
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(MicrographError, match=r"field\.txt: .*Permission denied"):
        read_micrograph(path)


def test_a_text_of_another_maker_is_nothing():
    assert parse_sidecar("key=value") == {}


@pytest.mark.parametrize("text", ["", "x", "-1", "0", "nan", "inf", None])
def test_no_number_is_0(text):
    assert number_of(text) == 0
