"""Montages: micrographs too large for memory, read some rows at a time."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from defectkeras.core.arrays import Image
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import to_floats, to_grey
from defectkeras.micrographs.data_bar import data_bar_px
from defectkeras.micrographs.frame import Frame, RowReader
from defectkeras.micrographs.ome_zarr import is_ome_zarr, open_ome_zarr
from defectkeras.micrographs.read import calibrate, errors_that_name
from defectkeras.micrographs.sidecar import with_sidecar
from defectkeras.micrographs.tiff_rows import open_tiff_rows

LARGEST_WHOLE_PX = 40_000_000
"""Files of more pixels, of a format of `ROW_READERS`, are montages."""

WHOLE_BYTES_PER_PX = 73
"""Memory that a micrograph takes which is analyzed as a whole (benchmarks/batch.py)."""

ROW_READERS: dict[str, RowReader] = {
    ".tif": open_tiff_rows,
    ".tiff": open_tiff_rows,
    ".zarr": open_ome_zarr,
}
"""Suffix in lower case to what opens the format to read rows."""


@dataclass(frozen=True, eq=False)
class Montage:
    """A micrograph whose rows are read when they are wanted.

    Attributes:
        shape: (H, W) in pixels.
        read_rows: First row and the row after the last to these rows, (h, W) float32
            raw grey levels, finite.
        calibration: Pixel size, foil thickness and their sources.
        data_bar_px: Rows of the file below these that are no micrograph.
    """

    shape: tuple[int, int]
    read_rows: Callable[[int, int], Image]
    calibration: Calibration
    data_bar_px: int = 0


def is_montage(path: Path, frame: int | None = None) -> bool:
    """Tell from its header whether a file is too large to be read whole.

    Args:
        path: The file.
        frame: Number of the frame, from 0, or None for the only one.

    Raises:
        MicrographError: When the header cannot be read.
    """
    suffix = path.suffix.lower()
    is_filled = path.is_file() and path.stat().st_size > 0
    if suffix not in ROW_READERS or not (is_filled or is_ome_zarr(path)):
        return False
    with errors_that_name(path), ROW_READERS[suffix](path, frame) as rows:
        return rows.shape[0] * rows.shape[1] > LARGEST_WHOLE_PX


def require_memory(path: Path, frame: int | None = None) -> None:
    """Check that a montage fits into memory, for what takes it as a whole.

    Args:
        path: A file for which `is_montage` is true.
        frame: Number of the frame, from 0, or None for the only one.

    Raises:
        MicrographError: When it does not.
    """
    with ROW_READERS[path.suffix.lower()](path, frame) as rows:
        height, width = rows.shape
    needed_gib = WHOLE_BYTES_PER_PX * height * width / 2**30
    free_gib = psutil.virtual_memory().available / 2**30
    if needed_gib > free_gib:
        raise MicrographError(
            f"{path}: {height} x {width} px must fit into memory as a whole, in some "
            f"{needed_gib:.1f} GiB. Received: {free_gib:.1f} GiB free. Take a model of "
            "the registry, which works in bands, or cut the montage."
        )


@contextlib.contextmanager
def open_montage(
    path: Path,
    *,
    pixel_size_nm: float | None = None,
    foil_thickness_nm: float | None = None,
    frame: int | None = None,
) -> Iterator[Montage]:
    """Open a file of a format of `ROW_READERS` to read some of its rows at a time.

    The arguments and the errors are those of `read_micrograph`.
    """
    with contextlib.ExitStack() as stack:
        with errors_that_name(path):
            opened = ROW_READERS[path.suffix.lower()](path, frame)
            rows = stack.enter_context(opened)
            rows = with_sidecar(path, rows, rows.shape)
        calibration = calibrate(
            path, rows, pixel_size_nm=pixel_size_nm, foil_thickness_nm=foil_thickness_nm
        )

        def read_rows(first: int, stop: int) -> Image:
            """Read some rows of (H, W) and check them."""
            with errors_that_name(path):
                return to_floats(to_grey(Frame(rows.read_rows(first, stop))))

        height, width = rows.shape
        bar_px = data_bar_px(rows.metadata, rows.shape, read_rows)
        yield Montage((height - bar_px, width), read_rows, calibration, bar_px)
