"""EMD, two formats in HDF5: that of Velox (Thermo Fisher) and that of NCEM."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import check_plane, choose_frame
from defectkeras.micrographs.frame import Frame, Scale

_VELOX_IMAGES = "Data/Image"


@dataclass(frozen=True)
class _Plane:
    """One image in the file: where it lies, not yet read.

    Attributes:
        dataset: The HDF5 dataset.
        rows_axis: Axis of the dataset along which rows follow each other.
        columns_axis: Likewise for columns.
        index: Position on the other axes, in their order.
        name: What it is, for messages.
    """

    dataset: Any
    rows_axis: int
    columns_axis: int
    index: tuple[int, ...]
    name: str


def read_emd(path: Path, frame: int | None, max_pixels: int) -> Frame:
    """Read an image of an EMD file; frames are counted over all its images."""
    with h5py.File(path, "r") as file:
        is_velox = _VELOX_IMAGES in file
        planes = _velox_planes(file) if is_velox else _ncem_planes(file)
        if not planes:
            raise MicrographError(
                "must hold an image. Received: an EMD file without one, such as a "
                f"spectrum (it has {', '.join(sorted(file)) or 'nothing'})."
            )
        number = choose_frame(len(planes), frame, names=[p.name for p in planes])
        plane = planes[number]
        pixels = _read(plane, max_pixels)
        if not is_velox:
            return Frame(pixels, scale=_ncem_scale(plane))
        metadata = _velox_metadata(plane)
        return Frame(pixels, scale=_velox_scale(metadata), metadata=metadata)


def _read(plane: _Plane, max_pixels: int) -> NDArray[Any]:
    """Read a plane as (H, W) after a look at its size and type."""
    dataset = plane.dataset
    if dataset.external or dataset.is_virtual:
        raise MicrographError(
            "must hold its pixels itself. Received: a link to another file. "
            "Give that file."
        )
    axes = plane.rows_axis, plane.columns_axis
    check_plane([dataset.shape[a] for a in axes], dataset.dtype, max_pixels)
    others = iter(plane.index)
    key = tuple(slice(None) if a in axes else next(others) for a in range(dataset.ndim))
    pixels = np.asarray(dataset[key])
    return pixels if plane.rows_axis < plane.columns_axis else pixels.T


def _velox_planes(file: Any) -> list[_Plane]:
    """Give the planes of Data/Image/<id>/Data of shape (H, W, frames)."""
    planes = []
    for group in file[_VELOX_IMAGES].values():
        dataset = group["Data"] if isinstance(group, h5py.Group) else None
        if isinstance(dataset, h5py.Dataset) and dataset.ndim == 3:
            frames = range(dataset.shape[2])
            first = _Plane(dataset, 0, 1, (0,), "")
            name = _velox_name(_velox_metadata(first)) if frames else ""
            planes += [_Plane(dataset, 0, 1, (i,), name) for i in frames]
    return planes


def _velox_metadata(plane: _Plane) -> dict[str, Any]:
    """Give the JSON of a plane, a column of zero-padded bytes; or nothing."""
    dataset = plane.dataset.parent.get("Metadata")
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 2:
        return {}
    column = min(plane.index[0], dataset.shape[1] - 1)
    text = dataset[:, column].tobytes().rstrip(b"\0")
    metadata = json.loads(text) if text else {}
    return metadata if isinstance(metadata, dict) else {}


def _velox_name(metadata: Mapping[str, Any]) -> str:
    return str(_table(metadata, "BinaryResult").get("Detector", "image"))


def _velox_scale(metadata: Mapping[str, Any]) -> Scale | None:
    """Give the pixel size from BinaryResult; its numbers are text."""
    result = _table(metadata, "BinaryResult")
    size = _table(result, "PixelSize")
    if not {"width", "height"} <= size.keys():
        return None
    return Scale(
        rows=float(size["height"]),
        columns=float(size["width"]),
        rows_unit=str(result.get("PixelUnitY", "")),
        columns_unit=str(result.get("PixelUnitX", "")),
        source="Velox metadata",
    )


def _table(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = mapping.get(key)
    return value if isinstance(value, dict) else {}


def _ncem_planes(file: Any) -> list[_Plane]:
    """Give the planes of all groups that the EMD convention marks."""
    groups: list[Any] = []

    def collect(_: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and "emd_group_type" in item.attrs:
            groups.append(item)

    file.visititems(collect)
    planes = []
    for group in groups:
        dataset = group.get("data")
        if isinstance(dataset, h5py.Dataset) and dataset.ndim >= 2:
            rows, columns = _ncem_axes(group, dataset.ndim)
            others = [
                n for a, n in enumerate(dataset.shape) if a not in (rows, columns)
            ]
            name = group.name.rsplit("/", 1)[-1]
            planes += [
                _Plane(dataset, rows, columns, index, name)
                for index in np.ndindex(*others)
            ]
    return planes


def _ncem_axes(group: Any, ndim: int) -> tuple[int, int]:
    """Give the axes of rows and columns: those named y and x, else the last two."""
    names = [_attribute(_ncem_dim(group, a), "name").lower() for a in range(ndim)]
    if names.count("y") == names.count("x") == 1:
        return names.index("y"), names.index("x")
    return ndim - 2, ndim - 1


def _ncem_dim(group: Any, axis: int) -> Any:
    """Give the positions along an axis: dim1, dim2, ..., or dim0, dim1, ..."""
    return group.get(f"dim{axis + (0 if 'dim0' in group else 1)}")


def _attribute(dim: Any, name: str) -> str:
    value = "" if dim is None else dim.attrs.get(name, "")
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _ncem_scale(plane: _Plane) -> Scale | None:
    """Give the distance of the first two positions along rows and columns."""
    group = plane.dataset.parent
    dims = [_ncem_dim(group, a) for a in (plane.rows_axis, plane.columns_axis)]
    if not all(
        isinstance(d, h5py.Dataset) and d.shape and d.shape[0] > 1 for d in dims
    ):
        return None
    rows, columns = (float(d[1]) - float(d[0]) for d in dims)
    rows_unit, columns_unit = (
        _attribute(d, "units").strip("[]").replace("_", "")  # "[n_m]" is nm
        for d in dims
    )
    return Scale(rows, columns, rows_unit, columns_unit, "EMD dim vectors")
