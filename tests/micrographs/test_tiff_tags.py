import numpy as np
import pytest
import tifffile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import read_micrograph

PIXELS = np.arange(15, dtype=np.uint16).reshape(3, 5)

FEI = """[User]
UserText=needle
[Beam]
Beam=EBeam
Scan=EScan
HV=5000
[Scan]
PixelWidth={width}
PixelHeight={height}
"""

ZEISS = """0\r
0\r
0\r
3.593750e-008\r
AP_PIXEL_SIZE\r
Pixel Size = 99.0 nm\r
AP_IMAGE_PIXEL_SIZE\r
Image Pixel Size = {size}\r
AP_WD\r
WD = 4.1 mm\r
"""


def write(path, *, tags=(), **how):
    extra = [(code, dtype, 1, value, True) for code, dtype, value in tags]
    tifffile.imwrite(path, PIXELS, extratags=extra, **how)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tif"


def calibration_of(path):
    calibration = read_micrograph(path).calibration
    return calibration.pixel_size_nm, calibration.pixel_size_source


@pytest.mark.parametrize("code", [34682, 34680])
def test_fei(path, code):
    text = FEI.format(width="2.5e-009", height="2.5e-009")
    write(path, tags=[(code, 2, text)])

    assert calibration_of(path) == (2.5, f"file tag {code}")
    assert read_micrograph(path).metadata["User"] == {"UserText": "needle"}


def test_fei_of_the_active_beam(path):
    scan = "[IScan]\nPixelWidth=9e-9\nPixelHeight=9e-9\n"
    active = FEI.format(width="3e-9", height="3e-9").replace("[Scan]", "[EScan]")
    write(path, tags=[(34682, 2, scan + active)])

    assert calibration_of(path) == (3.0, "file tag 34682")


@pytest.mark.parametrize("width", ["0", "-1e-9", "nan", "", "2,5e-9"])
def test_fei_without_a_number_is_no_calibration(path, width):
    write(path, tags=[(34682, 2, FEI.format(width=width, height=width))])

    assert calibration_of(path) == (None, "none")


def test_fei_of_a_tilted_scan_is_refused(path):
    write(path, tags=[(34682, 2, FEI.format(width="2e-9", height="2.2e-9"))])

    with pytest.raises(MicrographError, match="square"):
        calibration_of(path)


@pytest.mark.parametrize(
    ("size", "size_nm"), [("2.345 nm", 2.345), ("234.5 pm", 0.2345)]
)
def test_zeiss_takes_the_size_of_the_image(path, size, size_nm):
    write(path, tags=[(34118, 2, ZEISS.format(size=size))])

    assert calibration_of(path) == (pytest.approx(size_nm), "file tag 34118")


@pytest.mark.parametrize(
    ("unit", "scale", "size_nm"),
    [("nm", 0.25, 0.25), ("\xb5m", 0.002, 2.0), ("", 0.25, None)],
)
def test_digital_micrograph(path, unit, scale, size_nm):
    units = [(code, 2, unit.encode("latin-1")) for code in (65003, 65004)]
    write(path, tags=[*units, (65009, 12, scale), (65010, 12, scale)])

    source = "none" if size_nm is None else "file tag 65009"
    assert calibration_of(path) == (size_nm, source)


def test_digital_micrograph_diffraction_is_refused(path):
    units = [(code, 2, "1/nm") for code in (65003, 65004)]
    write(path, tags=[*units, (65009, 12, 0.1), (65010, 12, 0.1)])

    with pytest.raises(MicrographError, match="diffraction"):
        calibration_of(path)


def test_what_rosettasciio_writes_for_digital_micrograph(path):
    tiff = pytest.importorskip("rsciio.tiff")
    axes = [
        {"name": name, "size": size, "scale": 0.4, "offset": 0.0, "units": "nm"}
        | {"navigate": False, "index_in_array": axis}
        for axis, (name, size) in enumerate([("y", 3), ("x", 5)])
    ]
    signal = {"data": PIXELS, "axes": axes, "metadata": {}, "original_metadata": {}}
    tiff.file_writer(str(path), signal)

    assert calibration_of(path) == (0.4, "file tag 65009")


@pytest.mark.parametrize(
    ("size", "unit", "size_nm"),
    [(0.002, None, 2.0), (2.0, "nm", 2.0), (20.0, "Å", 2.0), (1.0, "pixel", None)],
)
def test_ome(path, size, unit, size_nm):
    metadata = {f"PhysicalSize{axis}": size for axis in "XY"}
    if unit is not None:
        metadata |= {f"PhysicalSize{axis}Unit": unit for axis in "XY"}
    tifffile.imwrite(path, PIXELS, ome=True, metadata={"axes": "YX", **metadata})

    source = "none" if size_nm is None else "OME-XML"
    assert calibration_of(path) == (size_nm, source)


def test_ome_with_an_unknown_unit_is_refused(path):
    text = '<OME><Pixels PhysicalSizeX="1" PhysicalSizeXUnit="nm" '
    text += 'PhysicalSizeY="1" PhysicalSizeYUnit="lightyear"/></OME>'
    write(path, description=text)

    with pytest.raises(MicrographError, match="lightyear"):
        calibration_of(path)


@pytest.mark.parametrize(
    "text",
    [
        "<OME><Pixels/>",
        "<OME/>",
        '<OME><Pixels PhysicalSizeX="x" PhysicalSizeY="1"/></OME>',
        '<!DOCTYPE OME [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><OME>&b;</OME>',
    ],
)
def test_ome_that_is_damaged_is_no_calibration(path, text):
    write(path, description=text)

    assert calibration_of(path) == (None, "none")


@pytest.mark.parametrize(
    ("unit", "size_nm"),
    [
        ("nm", 0.5),
        ("um", 500.0),
        ("micron", 500.0),
        ("\\u00B5m", 500.0),
        ("\\u00C5", 0.05),
        ("pixel", None),
        ("inch", None),
        ("cm", None),
    ],
)
def test_imagej(path, unit, size_nm):
    tifffile.imwrite(
        path, PIXELS, imagej=True, resolution=(2, 2), metadata={"unit": unit}
    )

    source = "none" if size_nm is None else "ImageJ description"
    assert calibration_of(path) == (size_nm, source)


@pytest.mark.parametrize(
    ("per_unit", "unit", "size_nm"),
    [
        (118.11, "cm", None),  # 300 dpi
        (944.9, "cm", None),  # 2400 dpi
        (4e6, "cm", 2.5),
        (72 / 25400, "micron", None),  # as Bio-Formats imports 72 dpi
        (1200 / 25400, "micron", None),
        (1 / 12, "micron", 12000.0),  # an SEM at 10 x
    ],
)
def test_a_density_for_a_printer_is_no_calibration_of_imagej(
    path, per_unit, unit, size_nm
):
    resolution = (per_unit, per_unit)
    tifffile.imwrite(
        path, PIXELS, imagej=True, resolution=resolution, metadata={"unit": unit}
    )

    assert calibration_of(path)[0] == size_nm


@pytest.mark.parametrize(
    ("size_um", "size_nm"), [(352.7778, None), (21.17, None), (12.0, 12000.0)]
)
def test_a_density_for_a_printer_is_no_calibration_of_ome(path, size_um, size_nm):
    sizes = {"PhysicalSizeX": size_um, "PhysicalSizeY": size_um}
    tifffile.imwrite(path, PIXELS, ome=True, metadata={"axes": "YX", **sizes})

    assert calibration_of(path)[0] == size_nm


def test_imagej_with_an_odd_unit_is_refused(path):
    tifffile.imwrite(
        path, PIXELS, imagej=True, resolution=(2, 2), metadata={"unit": "furlong"}
    )

    with pytest.raises(MicrographError, match="furlong"):
        calibration_of(path)


def test_imagej_with_other_rows_than_columns_is_refused(path):
    tifffile.imwrite(
        path, PIXELS, imagej=True, resolution=(2, 3), metadata={"unit": "nm"}
    )

    with pytest.raises(MicrographError, match="square"):
        calibration_of(path)


@pytest.mark.parametrize(
    ("per_unit", "unit", "size_nm"),
    [
        (1e7, "CENTIMETER", 1.0),
        (2.54e7, "INCH", 1.0),
        (72, "INCH", None),
        (96, "INCH", None),
        (300, "INCH", None),
        (2400, "INCH", None),  # a scanned negative
        (118.11, "CENTIMETER", None),
        (1e7, "NONE", None),
    ],
)
def test_resolution_is_a_calibration_only_below_a_micrometer(
    path, per_unit, unit, size_nm
):
    write(path, resolution=(per_unit, per_unit), resolutionunit=unit)

    source = "none" if size_nm is None else "TIFF resolution"
    assert calibration_of(path) == (pytest.approx(size_nm), source)


def test_the_microscope_goes_before_the_program(path):
    write(
        path,
        tags=[(34682, 2, FEI.format(width="2e-9", height="2e-9"))],
        resolution=(1e7, 1e7),
        resolutionunit="CENTIMETER",
    )

    assert calibration_of(path) == (2.0, "file tag 34682")


def test_nothing_is_no_calibration(path):
    write(path)

    assert calibration_of(path) == (None, "none")
