"""Writers of small files in the formats of microscopes, for the tests."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

DM4_TYPE = {"int16": 1, "float32": 2, "complex64": 3, "uint8": 6, "uint16": 10}
DM4_ELEMENT = {"int16": 2, "float32": 6, "uint8": 10, "uint16": 4}


def dm4_name(name: str | None) -> bytes:
    text = (name or "").encode()
    return struct.pack(">H", len(text)) + text


def dm4_tag(name: str | None, info: list[int], data: bytes) -> bytes:
    body = b"%%%%" + struct.pack(f">Q{len(info)}q", len(info), *info) + data
    return b"\x15" + dm4_name(name) + struct.pack(">Q", len(body)) + body


def dm4_value(name: str | None, value: Any) -> bytes:
    """A number, a text (UTF-16), an array or a dict as a tag of DM4."""
    if isinstance(value, dict | list):
        return dm4_directory(name, value)
    if isinstance(value, str):
        codes = value.encode("utf-16-le")
        return dm4_tag(name, [20, 4, len(codes) // 2], codes)
    if isinstance(value, np.ndarray):
        element = DM4_ELEMENT.get(value.dtype.name, 7)
        return dm4_tag(name, [20, element, value.size], value.tobytes())
    is_float = isinstance(value, float)
    code, form = (6, "<f") if is_float else (5, "<I")
    return dm4_tag(name, [code], struct.pack(form, value))


def dm4_directory(name: str | None, entries: Any) -> bytes:
    pairs = (
        entries.items() if isinstance(entries, dict) else [(None, e) for e in entries]
    )
    children = b"".join(dm4_value(key, value) for key, value in pairs)
    head = struct.pack(">bbQ", 1, 0, len(pairs))
    size = struct.pack(">Q", len(head) + len(children))
    return b"\x14" + dm4_name(name) + size + head + children


def dm4_image(
    pixels: np.ndarray, scale: float, unit: str, **tags: Any
) -> dict[str, Any]:
    calibration = {"Origin": 0.0, "Scale": scale, "Units": unit}
    return {
        "ImageData": {
            "DataType": DM4_TYPE[pixels.dtype.name],
            "Data": pixels.ravel(),
            "Dimensions": list(reversed(pixels.shape)),
            "Calibrations": {"Dimension": [calibration] * pixels.ndim},
        },
        "ImageTags": tags,
    }


@pytest.fixture
def write_dm4(tmp_path: Path) -> Callable[..., Path]:
    """Write DM4 files: a thumbnail, then the image that the window shows."""

    def write(
        pixels: np.ndarray, *, scale: float = 0.5, unit: str = "nm", **tags: Any
    ) -> Path:
        thumbnail = dm4_image(np.zeros((2, 2), np.uint8), 1.0, "")
        root = {
            "ImageList": [thumbnail, dm4_image(pixels, scale, unit, **tags)],
            "ImageSourceList": [{"ImageRef": 1}],
        }
        body = dm4_directory(None, root)[1 + 2 + 8 :]  # the root has no name or size
        path = tmp_path / "image.dm4"
        path.write_bytes(struct.pack(">IQI", 4, len(body), 1) + body + bytes(8))
        return path

    return write


@pytest.fixture
def write_velox(tmp_path: Path) -> Callable[..., Path]:
    """Write EMD files of Velox: detectors and their (H, W, frames)."""

    def write(
        images: dict[str, np.ndarray], *, size_m: str = "2.5e-10", unit: str = "m"
    ) -> Path:
        path = tmp_path / "velox.emd"
        with h5py.File(path, "w") as file:
            for number, (detector, pixels) in enumerate(images.items()):
                group = file.create_group(f"Data/Image/{number:032x}")
                group["Data"] = pixels
                result = {
                    "Detector": detector,
                    "PixelSize": {"width": size_m, "height": size_m},
                    "PixelUnitX": unit,
                    "PixelUnitY": unit,
                }
                text = json.dumps({"BinaryResult": result}).encode()
                column = np.zeros((1000, pixels.shape[-1]), np.uint8)
                column[: len(text)] = np.frombuffer(text, np.uint8)[:, None]
                group["Metadata"] = column
        return path

    return write


@pytest.fixture
def write_ncem(tmp_path: Path) -> Callable[..., Path]:
    """Write EMD files of NCEM: one group with its dims."""

    def write(pixels: np.ndarray, dims: list[tuple[str, float, str]]) -> Path:
        path = tmp_path / "ncem.emd"
        with h5py.File(path, "w") as file:
            group = file.create_group("data/image")
            group.attrs["emd_group_type"] = 1
            group["data"] = pixels
            for number, (name, step, units) in enumerate(dims, start=1):
                dim = group.create_dataset(
                    f"dim{number}", data=step * np.arange(pixels.shape[number - 1])
                )
                dim.attrs["name"], dim.attrs["units"] = name, units
        return path

    return write


@pytest.fixture
def write_ser(tmp_path: Path) -> Callable[..., Path]:
    """Write a SER file of TIA with one image, of 16-bit values."""

    def write(pixels: np.ndarray, *, size_m: float) -> Path:
        header = struct.pack("<HHHIIII", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, 1, 1)
        element_at = 200
        header += struct.pack("<II", 100, 1)  # of the offsets; one dimension
        header += struct.pack("<IddIII", 1, 0.0, 1.0, 0, 0, 0)
        data = bytearray(element_at)
        data[: len(header)] = header
        data[100:108] = struct.pack("<II", element_at, element_at + 50 + pixels.nbytes)
        height, width = pixels.shape
        element = struct.pack("<ddI", 0.0, size_m, 0) * 2
        element += struct.pack("<HII", 2, width, height)
        tail = struct.pack("<HHI", 0x4152, 0, 0)
        path = tmp_path / "image.ser"
        path.write_bytes(bytes(data) + element + pixels.tobytes() + tail)
        return path

    return write
