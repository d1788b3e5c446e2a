import numpy as np
import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import read_micrograph

PIXELS = np.arange(15, dtype=np.uint16).reshape(3, 5)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "uint8", "float32"])
def test_image_is_read_and_not_its_thumbnail(write_dm4, dtype):
    path = write_dm4(PIXELS.astype(dtype), scale=0.25, Microscope={"Name": "Titan"})

    micrograph = read_micrograph(path)

    np.testing.assert_array_equal(micrograph.pixels, PIXELS)
    assert micrograph.calibration.pixel_size_nm == 0.25
    assert micrograph.calibration.pixel_size_source == "DM4 calibration"
    assert micrograph.metadata["Microscope"] == {"Name": "Titan"}


def test_what_rosettasciio_reads_is_the_same(write_dm4):
    reader = pytest.importorskip("rsciio.digitalmicrograph").file_reader
    path = write_dm4(PIXELS, scale=0.25, unit="µm")

    *_, signal = reader(str(path))  # after the thumbnail

    micrograph = read_micrograph(path)
    np.testing.assert_array_equal(micrograph.pixels, signal["data"])
    assert micrograph.calibration.pixel_size_nm == 1e3 * signal["axes"][0]["scale"]
    assert signal["axes"][0]["units"] == "µm"


def test_stack_needs_a_frame_number(write_dm4):
    stack = np.arange(30, dtype=np.float32).reshape(2, 3, 5)
    path = write_dm4(stack)

    with pytest.raises(MicrographError, match="2 frames"):
        read_micrograph(path)
    np.testing.assert_array_equal(read_micrograph(path, frame=1).pixels, stack[1])


def test_diffraction_is_refused(write_dm4):
    with pytest.raises(MicrographError, match="diffraction"):
        read_micrograph(write_dm4(PIXELS, unit="1/nm"))


def test_complex_is_refused(write_dm4):
    with pytest.raises(MicrographError, match="complex"):
        read_micrograph(write_dm4(PIXELS.astype(np.complex64)))


def test_spectra_are_refused(write_dm4):
    with pytest.raises(MicrographError, match="spectrum"):
        read_micrograph(write_dm4(PIXELS[0]))
    image = {"Meta Data": {"Format": "Spectrum image"}}
    with pytest.raises(MicrographError, match="spectrum"):
        read_micrograph(write_dm4(np.stack([PIXELS, PIXELS]), **image))


def test_color_is_refused(write_dm4):
    path = write_dm4(PIXELS.astype(np.uint8))
    # DataType of the second image: 6 (uint8) becomes 23 (RGB).
    before, name, after = path.read_bytes().rpartition(b"DataType")
    start = 8 + 4 + 8 + 8
    data_type = after[:start] + (23).to_bytes(4, "little") + after[start + 4 :]
    path.write_bytes(before + name + data_type)

    with pytest.raises(MicrographError, match="data type 23"):
        read_micrograph(path)


def test_a_tag_that_is_longer_than_the_file_costs_no_memory(write_dm4):
    path = write_dm4(PIXELS)
    mark = b"%%%%" + (1).to_bytes(8, "big")
    lie = b"%%%%" + (2**36).to_bytes(8, "big")
    path.write_bytes(path.read_bytes().replace(mark, lie, 1))

    with pytest.raises(MicrographError, match="damaged tag"):
        read_micrograph(path)


def test_another_version_is_refused(write_dm4):
    path = write_dm4(PIXELS)
    path.write_bytes(b"\0\0\0\x03" + path.read_bytes()[4:])

    with pytest.raises(MicrographError, match="version 3"):
        read_micrograph(path)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("ref_F_0_1", "spectrum"),
        ("ref_F_0_2", "unit 'µ'"),
        ("ref_F_1_1", "spectrum"),
        ("ref_F_1_2", "4 frames"),
        ("ref_F_2_1", "spectrum"),
        ("ref_T_0_1", "spectrum"),
        ("ref_T_0_2", "3 frames"),
    ],
)
def test_files_of_nion_swift_are_refused(shared_data, name, what):
    folder = shared_data("instrument") / "nionswift-io"

    with pytest.raises(MicrographError, match=what):
        read_micrograph(folder / f"{name}.dm4")


def test_a_pixel_size_from_the_user_goes_before_odd_units(shared_data):
    path = shared_data("instrument") / "nionswift-io" / "ref_F_0_2.dm4"

    micrograph = read_micrograph(path, pixel_size_nm=2.0)

    np.testing.assert_array_equal(micrograph.pixels, [[0, 1], [2, 3], [4, 5]])
    assert micrograph.calibration.pixel_size_source == "user"
