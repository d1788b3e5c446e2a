"""DM3, SER and other formats, through RosettaSciIO if it is installed.

RosettaSciIO is under the GPL-3, therefore an extra that the user installs and
never something that defectkeras needs.
"""

import importlib
import importlib.util
import logging
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import check_plane, choose_frame
from defectkeras.micrographs.frame import Frame, Scale

PLUGINS = {
    ".dm3": "digitalmicrograph",
    ".elid": "phenom",
    ".emi": "tia",
    ".hspy": "hspy",
    ".prz": "pantarhei",
    ".ser": "tia",
    ".tvips": "tvips",
}
"""Suffix to the name of RosettaSciIO's plugin."""

_READ_WHOLE = (".elid",)  # their plugin reads nothing else
_NO_UNIT = ("<undefined>", "points")
_LARGEST_NM = 1e9
"""TIA writes 1 m where it knows no size, and 1/m of diffraction patterns as m."""


def is_installed() -> bool:
    """Say whether RosettaSciIO is there, without importing it."""
    return importlib.util.find_spec("rsciio") is not None


def read_rosetta(path: Path, frame: int | None, max_pixels: int) -> Frame:
    """Read an image with the plugin of RosettaSciIO for this suffix."""
    if not is_installed():
        raise MicrographError(
            f"must be readable. Received: {path.suffix}, for which RosettaSciIO is "
            "needed. Install it: pip install 'defectkeras[formats]'."
        )
    plugin = importlib.import_module(f"rsciio.{PLUGINS[path.suffix.lower()]}")
    _talk_on_stderr()
    is_whole = path.suffix.lower() in _READ_WHOLE or _is_compressed(path, max_pixels)
    signals = plugin.file_reader(str(path), lazy=not is_whole)
    if not signals and path.suffix.lower() == ".emi":
        raise MicrographError(
            "must lie beside its .ser files, which hold the pixels. Received: no "
            f"{path.stem}_1.ser there. Copy these, too."
        )
    images = [s for s in signals if _is_image(s)]
    if len(images) != 1:
        raise MicrographError(
            f"must hold one image. Received: {len(signals)} signals, of which "
            f"{len(images)} are images; spectra are none. Export the image."
        )
    return _read(images[0], frame, max_pixels)


def _is_compressed(path: Path, max_pixels: int) -> bool:
    """Say whether a .prz has compressed pixels, which are taken for raw when lazy.

    Raises:
        MicrographError: When they unpack to more than `max_pixels` of 8 bytes.
    """
    if path.suffix.lower() != ".prz":
        return False
    with zipfile.ZipFile(path) as archive:
        data = archive.getinfo("data.npy")
    is_compressed = data.compress_type != zipfile.ZIP_STORED
    if is_compressed and data.file_size > 8 * max_pixels:
        raise MicrographError(
            f"must unpack to at most {8 * max_pixels} bytes. Received: "
            f"{data.file_size}. Save it uncompressed, or as .hspy."
        )
    return is_compressed


def _talk_on_stderr() -> None:
    """Move RosettaSciIO's log from stdout, which is for data, to stderr."""
    for handler in logging.getLogger("rsciio").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.stream = sys.stderr  # setStream flushes the old, maybe closed


def _is_image(signal: dict[str, Any]) -> bool:
    """Say whether a signal has two axes in each frame and is no spectrum."""
    kind = signal["metadata"].get("Signal", {}).get("signal_type", "")
    is_spectrum = str(kind).startswith(("EELS", "EDS"))
    return len(_image_axes(signal)) == 2 and not is_spectrum


def _image_axes(signal: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the axes of a frame; images of a Phenom have axes of navigation alone."""
    axes: list[dict[str, Any]] = signal["axes"]
    return [axis for axis in axes if not axis.get("navigate", False)] or axes


def _read(signal: dict[str, Any], frame: int | None, max_pixels: int) -> Frame:
    """Read one frame; the axes of the image are the last ones."""
    data, (rows, columns) = signal["data"], _image_axes(signal)
    color = data.dtype.names
    dtype = data.dtype[0] if color and "R" in color else data.dtype
    check_plane(data.shape[-2:], dtype, max_pixels)
    stack = data.shape[:-2]
    index = choose_frame(int(np.prod(stack, dtype=object)), frame)
    pixels = _compute(data[np.unravel_index(index, stack)] if stack else data)
    if color:
        pixels = np.stack([pixels[name] for name in color], axis=-1)
    scale = Scale(
        rows=float(rows.get("scale", 0)),
        columns=float(columns.get("scale", 0)),
        rows_unit=_unit(rows),
        columns_unit=_unit(columns),
        source="RosettaSciIO axes",
    )
    return Frame(pixels, scale=scale, metadata=signal["original_metadata"])


def _compute(data: Any) -> NDArray[Any]:
    """Decode an array of Dask; some plugins give one of NumPy."""
    return np.asarray(data.compute() if hasattr(data, "compute") else data)


def _unit(axis: dict[str, Any]) -> str:
    """Give the unit of an axis, or "" when it is not calibrated."""
    unit = axis.get("units")
    if unit == "nm" and axis.get("scale", 0) >= _LARGEST_NM:
        return ""
    return unit if isinstance(unit, str) and unit not in _NO_UNIT else ""
