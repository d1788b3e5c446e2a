import json

import h5py
import numpy as np
import pytest

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.read import read_micrograph

PIXELS = np.arange(15, dtype=np.uint16).reshape(3, 5)
NM = "[n_m]"


def test_velox_image(write_velox):
    micrograph = read_micrograph(write_velox({"HAADF": PIXELS[..., None]}))

    np.testing.assert_array_equal(micrograph.pixels, PIXELS)
    assert micrograph.calibration.pixel_size_nm == 0.25
    assert micrograph.calibration.pixel_size_source == "Velox metadata"
    assert micrograph.metadata["BinaryResult"]["Detector"] == "HAADF"


def test_velox_counts_frames_over_its_detectors(write_velox):
    movie = np.stack([PIXELS + 1, PIXELS + 2], axis=-1)
    path = write_velox({"HAADF": PIXELS[..., None], "BF-S": movie})

    with pytest.raises(MicrographError, match="0 HAADF, 1 BF-S, 2 BF-S"):
        read_micrograph(path)
    np.testing.assert_array_equal(read_micrograph(path, frame=2).pixels, PIXELS + 2)


def test_velox_diffraction_is_refused(write_velox):
    path = write_velox({"Ceta": PIXELS[..., None]}, size_m="3e7", unit="1/m")

    with pytest.raises(MicrographError, match="diffraction"):
        read_micrograph(path)


def test_velox_fourier_transform_is_refused(write_velox):
    dtype = [("realFloatHalfEven", "<f4"), ("imagFloatHalfEven", "<f4")]

    with pytest.raises(MicrographError, match="complex"):
        read_micrograph(write_velox({"FFT": np.zeros((3, 5, 1), dtype)}))


@pytest.mark.parametrize("text", [b"", b"[1, 2]", b'{"BinaryResult": 3}'])
def test_velox_without_metadata_is_no_calibration(write_velox, text):
    path = write_velox({"HAADF": PIXELS[..., None]})
    with h5py.File(path, "r+") as file:
        (group,) = file["Data/Image"].values()
        del group["Metadata"]
        if text:
            group["Metadata"] = np.frombuffer(text, np.uint8)[:, None]

    assert read_micrograph(path).calibration.pixel_size_source == "none"


def test_velox_spectrum_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.emd", "w") as file:
        file["Data/SpectrumStream/0/Data"] = np.zeros(10)

    with pytest.raises(MicrographError, match="spectrum"):
        read_micrograph(tmp_path / "a.emd")


def test_ncem_image(write_ncem):
    path = write_ncem(PIXELS, [("y", 0.5, NM), ("x", 0.5, NM)])

    micrograph = read_micrograph(path)

    np.testing.assert_array_equal(micrograph.pixels, PIXELS)
    assert micrograph.calibration.pixel_size_nm == 0.5
    assert micrograph.calibration.pixel_size_source == "EMD dim vectors"


def test_ncem_with_x_first_is_turned_to_rows_and_columns(write_ncem):
    path = write_ncem(PIXELS.T, [("x", 0.5, NM), ("y", 0.5, NM)])

    np.testing.assert_array_equal(read_micrograph(path).pixels, PIXELS)


def test_ncem_stack(write_ncem):
    stack = np.arange(30, dtype=np.float32).reshape(2, 3, 5)
    path = write_ncem(stack, [("t", 1.0, "[s]"), ("y", 2.0, "Å"), ("x", 2.0, "Å")])

    with pytest.raises(MicrographError, match="2 frames"):
        read_micrograph(path)
    micrograph = read_micrograph(path, frame=1)
    np.testing.assert_array_equal(micrograph.pixels, stack[1])
    assert micrograph.calibration.pixel_size_nm == 0.2


def test_ncem_diffraction_is_refused(write_ncem):
    path = write_ncem(PIXELS, [("y", 0.5, "[n_m^-1]"), ("x", 0.5, "[n_m^-1]")])

    with pytest.raises(MicrographError, match="diffraction"):
        read_micrograph(path)


def test_ncem_without_dims_is_no_calibration(write_ncem):
    micrograph = read_micrograph(write_ncem(PIXELS, []))

    np.testing.assert_array_equal(micrograph.pixels, PIXELS)
    assert micrograph.calibration.pixel_size_nm is None


def test_ncem_spectrum_is_refused(write_ncem):
    path = write_ncem(np.arange(7.0), [("E", 1.0, "[eV]")])

    with pytest.raises(MicrographError, match="spectrum"):
        read_micrograph(path)


def test_what_rosettasciio_writes(tmp_path):
    emd = pytest.importorskip("rsciio.emd")
    axes = [
        {"name": name, "size": size, "scale": 0.4, "offset": 0.0, "units": "nm"}
        | {"navigate": False, "index_in_array": axis}
        for axis, (name, size) in enumerate([("y", 3), ("x", 5)])
    ]
    metadata = {"General": {"title": "image"}, "Signal": {"signal_type": ""}}
    signal = {"data": PIXELS, "axes": axes, "metadata": metadata}
    signal |= {"original_metadata": {}, "attributes": {}}
    emd.file_writer(str(tmp_path / "a.emd"), signal)

    micrograph = read_micrograph(tmp_path / "a.emd")

    np.testing.assert_array_equal(micrograph.pixels, PIXELS)
    assert micrograph.calibration.pixel_size_nm == 0.4


def test_pixels_in_another_file_are_refused(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(15))
    with h5py.File(tmp_path / "a.emd", "w") as file:
        group = file.create_group("Data/Image/0")
        external = [(str(tmp_path / "secret"), 0, 15)]
        group.create_dataset("Data", (3, 5, 1), "u1", external=external)

    with pytest.raises(MicrographError, match="another file"):
        read_micrograph(tmp_path / "a.emd")


def test_a_size_that_was_never_written_costs_no_memory(tmp_path):
    side = 2**20
    with h5py.File(tmp_path / "a.emd", "w") as file:
        group = file.create_group("Data/Image/0")
        group.create_dataset("Data", (side, side, 1), "u2", chunks=(64, 64, 1))
        group["Metadata"] = np.frombuffer(json.dumps({}).encode(), np.uint8)[:, None]

    with pytest.raises(MicrographError, match="1048576 x 1048576"):
        read_micrograph(tmp_path / "a.emd")
