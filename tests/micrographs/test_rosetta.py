import bz2
import io
import json
import struct
import sys

import numpy as np
import pytest
import tifffile

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import read_micrograph, readable_suffixes
from defectkeras.micrographs.rosetta import PLUGINS, is_installed

PIXELS = np.arange(15, dtype=np.uint16).reshape(3, 5)

needs_rosettasciio = pytest.mark.skipif(
    not is_installed(), reason="the extra `formats` is not installed"
)


def test_without_the_extra_the_message_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rsciio", None)
    (tmp_path / "a.dm3").write_bytes(b"x")

    with pytest.raises(MicrographError, match=r"pip install 'defectkeras\[formats\]'"):
        read_micrograph(tmp_path / "a.dm3")
    assert ".dm3" not in readable_suffixes()
    assert readable_suffixes()[".tif"] == "tiff"


@needs_rosettasciio
def test_every_plugin_exists():
    import rsciio

    modules = {plugin["api"] for plugin in rsciio.IO_PLUGINS}
    assert {f"rsciio.{name}" for name in PLUGINS.values()} <= modules


@needs_rosettasciio
def test_ser(write_ser):
    micrograph = read_micrograph(write_ser(PIXELS, size_m=2e-9))

    np.testing.assert_array_equal(np.sort(micrograph.pixels, axis=0), PIXELS)
    assert micrograph.shape == (3, 5)
    assert micrograph.calibration.pixel_size_nm == 2.0
    assert micrograph.calibration.pixel_size_source == "RosettaSciIO axes"


@needs_rosettasciio
@pytest.mark.parametrize("size_m", [1.0, 2.5e7])
def test_a_meter_and_more_is_no_pixel_size(write_ser, size_m):
    """TIA writes 1 m where it knows none, and 1/m of a diffraction pattern."""
    calibration = read_micrograph(write_ser(PIXELS, size_m=size_m)).calibration

    assert calibration.pixel_size_nm is None
    assert calibration.pixel_size_source == "none"


@needs_rosettasciio
@pytest.mark.filterwarnings("ignore:The navigation axes units")
def test_an_emi_without_its_ser_files_says_so(tmp_path, write_ser):
    ser = write_ser(PIXELS, size_m=2e-9)
    emi = tmp_path / "field.emi"
    emi.write_bytes(b"JA<ObjectInfo><Uuid>0</Uuid></ObjectInfo>")

    with pytest.raises(MicrographError, match=r"no field_1\.ser there"):
        read_micrograph(emi)
    ser.rename(tmp_path / "field_1.ser")
    assert read_micrograph(emi).calibration.pixel_size_nm == 2.0


PHENOM = (
    "<FeiImage><pixelWidth unit='nm'>53.5</pixelWidth><pixelHeight unit='nm'>53.5"
    "</pixelHeight><acquisition><scan><rotation>0</rotation></scan></acquisition>"
    "</FeiImage>"
)


def write_elid(path, images, text=PHENOM):
    """A project of Element Identification: TIFF files in one bzip2 stream."""
    project = struct.pack("<4siI", b"EID2", 0, len(images))
    for pixels in images:
        file = io.BytesIO()
        tags = [(34683, 2, 1, text, True)] if text else []
        tifffile.imwrite(file, pixels, extratags=tags)
        tiff = file.getvalue()
        project += struct.pack("<I", len(tiff)) + tiff
        project += struct.pack("<I5sI", 5, b"image", 0)
    path.write_bytes(bz2.compress(project))
    return path


@needs_rosettasciio
@pytest.mark.parametrize(("text", "size_nm"), [(PHENOM, 53.5), ("", None)])
def test_elid(tmp_path, text, size_nm):
    micrograph = read_micrograph(write_elid(tmp_path / "a.elid", [PIXELS], text))

    np.testing.assert_array_equal(micrograph.pixels, PIXELS)
    assert micrograph.calibration.pixel_size_nm == size_nm


@needs_rosettasciio
def test_an_elid_of_several_images_is_refused(tmp_path):
    path = write_elid(tmp_path / "a.elid", [PIXELS, PIXELS])

    with pytest.raises(MicrographError, match="2 are images"):
        read_micrograph(path)


def write_hspy(path, data, units, *, signal_type="", navigate=0):
    hspy = pytest.importorskip("rsciio.hspy")
    axes = [
        {
            "_type": "UniformDataAxis",
            "name": f"axis{number}",
            "size": size,
            "scale": 0.5,
            "offset": 0.0,
            "units": units,
            "navigate": number < navigate,
            "is_binned": False,
        }
        for number, size in enumerate(data.shape)
    ]
    signal = {
        "data": data,
        "axes": axes,
        "metadata": {
            "General": {"title": "image"},
            "Signal": {"signal_type": signal_type},
        },
        "original_metadata": {"Microscope": {"kV": 200.0}},
        "learning_results": {},
        "tmp_parameters": {},
        "attributes": {"_lazy": False, "ragged": False},
        "models": {},
        "package_info": {"package": "hyperspy", "package_version": "2.0"},
    }
    hspy.file_writer(str(path), signal)
    return path


@needs_rosettasciio
def test_hspy(tmp_path):
    micrograph = read_micrograph(write_hspy(tmp_path / "a.hspy", PIXELS, "nm"))

    np.testing.assert_array_equal(micrograph.pixels, PIXELS)
    assert micrograph.calibration.pixel_size_nm == 0.5
    assert micrograph.metadata == {"Microscope": {"kV": 200.0}}


@needs_rosettasciio
def test_stack_needs_a_frame_number(tmp_path):
    stack = np.arange(60, dtype=np.float32).reshape(2, 2, 3, 5)
    path = write_hspy(tmp_path / "a.hspy", stack, "nm", navigate=2)

    with pytest.raises(MicrographError, match="4 frames"):
        read_micrograph(path)
    np.testing.assert_array_equal(read_micrograph(path, frame=2).pixels, stack[1, 0])


def write_prz(path, pixels, save, *, units):
    calibration = {"device.calib": [{"unit": units, "offset": 0, "value": 2.5}] * 2}
    metadata = {"type": "2D"} | (calibration if units else {})
    with path.open("wb") as file:
        save(file, data=pixels, meta_data_json=np.array(json.dumps([metadata])))


@needs_rosettasciio
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(("units", "size_nm"), [("nm", 2.5), (None, None)])
def test_prz_compressed_or_not_with_a_calibration_or_without(
    tmp_path, save, units, size_nm
):
    noise = np.random.default_rng(0).integers(0, 65536, (64, 96), dtype=np.uint16)
    write_prz(tmp_path / "a.prz", noise, save, units=units)

    micrograph = read_micrograph(tmp_path / "a.prz")

    np.testing.assert_array_equal(micrograph.pixels, noise)
    assert micrograph.calibration.pixel_size_nm == size_nm


@needs_rosettasciio
def test_a_prz_that_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "a.prz"
    write_prz(path, np.zeros((30, 40)), np.savez_compressed, units="nm")

    with pytest.raises(MicrographError, match="must unpack to at most 800 bytes"):
        read_micrograph(path, max_pixels=100)


@needs_rosettasciio
def test_grey_rgb_is_accepted(tmp_path):
    pixels = np.zeros((3, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    for name in "RGB":
        pixels[name] = PIXELS

    micrograph = read_micrograph(write_hspy(tmp_path / "a.hspy", pixels, "nm"))

    np.testing.assert_array_equal(micrograph.pixels, PIXELS)


@needs_rosettasciio
@pytest.mark.parametrize(
    ("data", "units", "kind", "what"),
    [
        (PIXELS, "eV", "", "'eV'"),
        (PIXELS, "1/nm", "", "diffraction"),
        (PIXELS, "nm", "EELS", "0 are images"),
        (PIXELS[0], "nm", "", "0 are images"),
        (PIXELS.astype(np.complex64), "nm", "", "complex"),
    ],
)
def test_what_is_no_micrograph_is_refused(tmp_path, data, units, kind, what):
    path = write_hspy(tmp_path / "a.hspy", data, units, signal_type=kind)

    with pytest.raises(MicrographError, match=what):
        read_micrograph(path)


@needs_rosettasciio
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("ref_F_0_1", "0 are images"),
        ("ref_F_0_2", "unit 'µ'"),
        ("ref_F_1_1", "0 are images"),
        ("ref_F_1_2", "4 frames"),
        ("ref_F_2_1", "0 are images"),
        ("ref_T_0_1", "0 are images"),
        ("ref_T_0_2", "3 frames"),
    ],
)
def test_files_of_nion_swift_are_refused(shared_data, name, what):
    folder = shared_data("instrument") / "nionswift-io"

    with pytest.raises(MicrographError, match=what):
        read_micrograph(folder / f"{name}.dm3")


@needs_rosettasciio
def test_dm3_and_dm4_are_read_the_same(shared_data):
    folder = shared_data("instrument") / "nionswift-io"

    old, new = (
        read_micrograph(folder / f"ref_T_0_2.dm{n}", pixel_size_nm=2.0, frame=1)
        for n in (3, 4)
    )

    np.testing.assert_array_equal(old.pixels, new.pixels)


@needs_rosettasciio
def test_nothing_is_said_on_stdout(tmp_path, capfd):
    (tmp_path / "a.ser").write_bytes(bytes(1000))

    with pytest.raises(MicrographError):
        read_micrograph(tmp_path / "a.ser")
    assert capfd.readouterr().out == ""
