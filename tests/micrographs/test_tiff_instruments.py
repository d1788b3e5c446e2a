import struct

import numpy as np
import pytest
import tifffile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import read_micrograph
from defectkeras.micrographs.tiff_instruments import maker_metadata

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


PHENOM = """<?xml version="1.0" encoding="utf-8"?>
<FeiImage version="1"><databarHeight>{bar}</databarHeight>
<pixelWidth unit="{unit}">{width}</pixelWidth>
<pixelHeight unit="{unit}">{height}</pixelHeight>
<instrument><edition>G4 Phenom</edition></instrument></FeiImage>"""


@pytest.mark.parametrize(
    ("unit", "width", "height", "size_nm"),
    [
        ("um", "0.694952", "0.694952", 694.952),
        ("nm", "53.5", "53.5", 53.5),
        ("nm", "0", "0", None),
        ("nm", "", "", None),
        ("", "2", "2", None),
    ],
)
def test_phenom(path, unit, width, height, size_nm):
    text = PHENOM.format(bar=0, unit=unit, width=width, height=height)
    write(path, tags=[(34683, 2, text)])

    source = "none" if size_nm is None else "file tag 34683"
    assert calibration_of(path) == (size_nm, source)
    assert read_micrograph(path).metadata["Phenom"]["databarHeight"] == "0"


def test_phenom_of_an_odd_unit_is_refused(path):
    text = PHENOM.format(bar=0, unit="ft", width=1, height=1)
    write(path, tags=[(34683, 2, text)])

    with pytest.raises(MicrographError, match="'ft'"):
        calibration_of(path)


@pytest.mark.parametrize(("drawn", "rows"), [(True, 48), (False, 54)])
def test_the_data_bar_of_a_phenom_is_left_out_where_it_is_drawn(path, drawn, rows):
    pixels = np.random.default_rng(0).integers(60, 90, (54, 48), dtype=np.uint8)
    pixels[48:] *= not drawn
    text = PHENOM.format(bar=6, unit="nm", width=5, height=5)
    tifffile.imwrite(path, pixels, extratags=[(34683, 2, 1, text, True)])

    micrograph = read_micrograph(path)

    np.testing.assert_array_equal(micrograph.pixels, pixels[:rows])


THERMO = """<?xml version="1.0"?>
<Metadata xmlns:nil="http://schemas.fei.com/Metadata/v1/2013/07"{name}><BinaryResult>
<PixelSize><X {unit}>6.5E-10</X><Y {unit}>6.5E-10</Y></PixelSize>
</BinaryResult></Metadata>"""


@pytest.mark.parametrize("name", ["", ' xmlns="http://schemas.fei.com/Metadata"'])
@pytest.mark.parametrize(
    ("unit", "size_nm"),
    [
        ('unit="m" unitPrefixPower="1"', 0.65),
        ('unit="m"', 0.65),
        ('unit="m" unitPrefixPower="-9"', None),
        ("", None),
    ],
)
def test_velox_and_maps(path, name, unit, size_nm):
    """These also have a tag of the INI form, which is empty."""
    text = THERMO.format(name=name, unit=unit)
    write(path, tags=[(34682, 2, "     "), (34683, 2, text)])

    source = "none" if size_nm is None else "file tag 34683"
    assert calibration_of(path) == (size_nm, source)


def test_velox_diffraction_is_refused(path):
    text = THERMO.format(name="", unit='unit="1/m"')
    write(path, tags=[(34683, 2, text)])

    with pytest.raises(MicrographError, match="diffraction"):
        calibration_of(path)


@pytest.mark.parametrize("text", ["<Metadata/>", "<FeiImage>", "no XML", " "])
def test_xml_that_tells_nothing_is_no_calibration(path, text):
    write(path, tags=[(34683, 2, text)])

    assert calibration_of(path) == (None, "none")


def tvips_header(version, **told):
    """EM-MENU's header, as its manual lays it out."""
    layout = [*tifffile.TIFF.TVIPS_HEADER_V1, *tifffile.TIFF.TVIPS_HEADER_V2]
    names = [f"{n}:{name}" for n, (name, _) in enumerate(layout)]
    kinds = [kind for _, kind in layout]
    header = np.zeros(1, list(zip(names, kinds, strict=True)))
    for name, (key, _) in zip(names, layout, strict=True):
        header[name] = told.get(key, header[name])
    header[names[0]] = version
    return header.tobytes()


@pytest.mark.parametrize(
    ("version", "size_nm"), [(2, pytest.approx(1.42080)), (1, None)]
)
def test_tvips(path, version, size_nm):
    size = np.float32(1.42080)
    header = tvips_header(
        version, PixelSizeX=size, PixelSizeY=size, Magic=0xAAAAAAAA, Magnification=99
    )
    extra = [(37706, 1, len(header), header, True)]
    tifffile.imwrite(path, PIXELS, extratags=extra)

    source = "none" if size_nm is None else "file tag 37706"
    assert calibration_of(path) == (size_nm, source)


def write_olympus(path, exponent, columns, rows):
    """A page whose tag 33560 leads to a block, which leads to the sizes."""
    write(path, tags=[(33560, 4, 8)])
    content = path.read_bytes()
    block, entry = len(content), struct.pack("<HHI", 33560, 4, 1)
    content = content.replace(
        entry + struct.pack("<I", 8), entry + struct.pack("<I", block)
    )
    content += struct.pack("<4s6xhhhhh6x32sH", b"SIS0", 1, 2, 3, 4, 120, b"field", 1)
    content += struct.pack("<hhI", 1, 1, block + 68)
    sizes = struct.pack("<10xhdd8xd2x34s32s", exponent, columns, rows, 5e4, b"", b"")
    path.write_bytes(content + sizes)


@pytest.mark.parametrize(
    ("exponent", "columns", "rows", "size_nm"),
    [
        (-9, 0.48, 0.48, 0.48),
        (-6, 2.5, 2.5, 2500.0),
        (0, 1.0, 1.0, None),  # it knows none
        (-9, 0.48, 0.49, None),  # of another layout
        (-9, 0.0, 0.0, None),
    ],
)
def test_olympus(path, exponent, columns, rows, size_nm):
    write_olympus(path, exponent, columns, rows)

    source = "none" if size_nm is None else "file tag 33560"
    assert calibration_of(path) == (size_nm, source)


def test_olympus_without_its_block_is_no_calibration(path):
    write(path, tags=[(33560, 4, 8)])

    assert calibration_of(path) == (None, "none")


SIGHTX = """<?xml version="1.0" encoding="utf-8"?><TemReporter>
<Eos><EosMode>{eos}</EosMode></Eos><IlluminationSystem><ImageField>modeBF</ImageField>
</IlluminationSystem><ElectronGun><AccelerationVoltage>200000</AccelerationVoltage>
</ElectronGun><ImageFormingSystem><ImageFormingMode>modeMAG</ImageFormingMode>
<ModeString>{mode}</ModeString><SelectorString>X 50k</SelectorString>
<SelectorValue>{value}</SelectorValue><SelectorUnitString>{unit}</SelectorUnitString>
</ImageFormingSystem></TemReporter>"""


def write_sightx(path, *, eos="eosTEM", mode="MAG", value="50000", unit="x"):
    text = SIGHTX.format(eos=eos, mode=mode, value=value, unit=unit)
    text = text.replace("\n", "\r\n") + "\r\n"
    per_cm = 1e4 / 9  # a camera with pixels of 9 um
    write(
        path,
        tags=[(271, 2, "JEOL Ltd.")],
        description=text,
        resolution=(per_cm, per_cm),
        resolutionunit="CENTIMETER",
        metadata=None,
    )


def test_sightx_agrees_with_rosettasciio(path):
    write_sightx(path)
    tiff = pytest.importorskip("rsciio.tiff")
    pytest.importorskip("box")

    axes = tiff.file_reader(str(path))[0]["axes"]

    size_nm, source = calibration_of(path)
    assert source == "JEOL magnification"
    assert size_nm == pytest.approx(9e3 / 50000)
    assert [axis["units"] for axis in axes] == ["nm", "nm"]
    np.testing.assert_allclose([a["scale"] for a in axes], size_nm, rtol=1e-6)


@pytest.mark.parametrize(
    "told",
    [{"mode": "DIFF", "value": "80", "unit": "cm"}, {"eos": "modeASID"}]
    + [{"value": value} for value in ("0", "", "x")],
)
def test_sightx_in_another_mode_is_no_calibration(path, told):
    write_sightx(path, **told)

    assert calibration_of(path) == (None, "none")


def test_metadata_of_a_page_without_tags_of_makers_is_empty(path):
    write(path)

    with tifffile.TiffFile(path) as file:
        assert maker_metadata(file.pages.first) == {}
