"""OME-Zarr (NGFF): the full resolution of an image, and what its pixels measure.

Zarr 2 and 3 with the metadata of NGFF 0.4 and 0.5, and plain Zarr arrays. Only the
library knows the format of the chunks (extra `montages`).
"""

import contextlib
import math
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import check_plane, choose_frame
from defectkeras.micrographs.frame import Frame, RowFrame, Scale

MAX_PIXELS = 1 << 40
SUFFIX = ".zarr"

_SOURCE = "OME-Zarr multiscales"
_LETTERS = {"nanometer": "nm", "micrometer": "um", "angstrom": "Å", "picometer": "pm"}


def has_zarr() -> bool:
    """Tell whether the extra `montages` is installed."""
    return find_spec("zarr") is not None


def is_ome_zarr(path: Path) -> bool:
    """Tell whether a path is a folder of Zarr, by its name."""
    return path.suffix.lower() == SUFFIX and path.is_dir()


def read_ome_zarr(path: Path, frame: int | None, max_pixels: int) -> Frame:
    """Read one plane of an OME-Zarr image whole."""
    with open_ome_zarr(path, frame, max_pixels=max_pixels) as rows:
        pixels = rows.read_rows(0, rows.shape[0])
        return Frame(pixels, rows.scale, metadata=rows.metadata)


@contextlib.contextmanager
def open_ome_zarr(
    path: Path, frame: int | None, *, max_pixels: int = MAX_PIXELS
) -> Iterator[RowFrame]:
    """Open an OME-Zarr image to read some of its rows at a time.

    Args:
        path: The folder of the image, which ends on .zarr.
        frame: Number of the plane among all times, channels and slices, from 0, or
            None for the only one.
        max_pixels: Larger planes are refused.

    Raises:
        MicrographError: When the extra is missing, or there is no image.
    """
    if not has_zarr():
        raise MicrographError(
            "must be read with a library that is not there. Received: a folder of "
            "Zarr. Run pip install 'defectkeras[montages]'."
        )
    array, scale, metadata = _open(path)
    if array.ndim < 2:
        raise MicrographError(
            f"must have rows and columns. Received: shape {array.shape}."
        )
    height, width = array.shape[-2:]
    check_plane((height, width), np.dtype(array.dtype), max_pixels)
    planes = array.shape[:-2]
    number = choose_frame(math.prod(planes), frame)
    plane = tuple(int(n) for n in np.unravel_index(number, planes)) if planes else ()

    def read_rows(first: int, stop: int) -> NDArray[Any]:
        """Read some rows of the plane (H, W)."""
        return np.asarray(array[(*plane, slice(first, stop), slice(None))])

    yield RowFrame((height, width), read_rows, scale, metadata=metadata)


def _open(path: Path) -> tuple[Any, Scale | None, Mapping[str, Any]]:
    """Give the array of full resolution, its pixel sizes, and the metadata."""
    import zarr

    node = zarr.open(store=path, mode="r")
    metadata: Mapping[str, Any] = node.attrs.asdict()
    if isinstance(node, zarr.Array):
        return node, None, metadata
    known = metadata.get("ome", metadata)
    images = known.get("multiscales")
    if not images or not images[0].get("datasets"):
        raise MicrographError(
            "must be an OME-Zarr image with multiscales. Received: a group without. "
            "Give the folder of the image itself."
        )
    first = images[0]["datasets"][0]  # the full resolution comes first
    array = node[first["path"]]
    if not isinstance(array, zarr.Array):
        raise MicrographError(
            f"must have an array at {first['path']!r}. Received: a group."
        )
    return array, _scale(images[0], first), metadata


def _scale(image: Mapping[str, Any], dataset: Mapping[str, Any]) -> Scale | None:
    """Give the sizes of rows and columns, the last two axes."""
    axes = image.get("axes", [])
    units = [a.get("unit", "") if isinstance(a, Mapping) else "" for a in axes]
    sizes = np.ones(2)
    is_told = False
    for level in (image, dataset):
        for change in level.get("coordinateTransformations", []):
            if change.get("type") == "scale":
                sizes = sizes * np.array(change["scale"][-2:], dtype=np.float64)
                is_told = True
    if not is_told or len(units) < 2:
        return None
    rows_unit, columns_unit = (_LETTERS.get(u, u) for u in units[-2:])
    return Scale(float(sizes[0]), float(sizes[1]), rows_unit, columns_unit, _SOURCE)
