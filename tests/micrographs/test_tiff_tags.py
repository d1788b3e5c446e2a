import numpy as np
import pytest
import tifffile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import read_micrograph

PIXELS = np.arange(15, dtype=np.uint16).reshape(3, 5)

FEI = "[Scan]\nPixelWidth=2e-9\nPixelHeight=2e-9\n"


def write(path, *, tags=(), **how):
    extra = [(code, dtype, 1, value, True) for code, dtype, value in tags]
    tifffile.imwrite(path, PIXELS, extratags=extra, **how)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tif"


def calibration_of(path):
    calibration = read_micrograph(path).calibration
    return calibration.pixel_size_nm, calibration.pixel_size_source


@pytest.mark.parametrize(
    ("size", "unit", "size_nm"),
    [
        (0.002, None, 2.0),
        (2.0, "nm", 2.0),
        (20.0, "Å", 2.0),
        (1.0, "pixel", None),
        (1.0, "reference frame", None),
    ],
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
        tags=[(34682, 2, FEI)],
        resolution=(1e7, 1e7),
        resolutionunit="CENTIMETER",
    )

    assert calibration_of(path) == (2.0, "file tag 34682")


def test_nothing_is_no_calibration(path):
    write(path)

    assert calibration_of(path) == (None, "none")
