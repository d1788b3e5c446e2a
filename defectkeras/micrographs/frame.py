"""What every reader gives: one frame of a file, not yet checked."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray


@dataclass(frozen=True)
class Scale:
    """Pixel sizes as a file tells them.

    Attributes:
        rows: Distance of two rows, in `rows_unit`.
        columns: Distance of two columns, in `columns_unit`.
        rows_unit: As written in the file; "" when there is none.
        columns_unit: Likewise.
        source: Where in the file it stands, such as "file tag 34682".
    """

    rows: float
    columns: float
    rows_unit: str
    columns_unit: str
    source: str


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a file.

    Attributes:
        pixels: (H, W), or (H, W, C) with channels, in the type of the file.
        scale: Pixel sizes, or None when the file has none.
        palette: (N, 3) colors when the pixels are indices into a palette.
        foil_thickness_nm: Along the beam in nm, or None.
        metadata: What the file tells about the instrument.
    """

    pixels: NDArray[Any]
    scale: Scale | None = None
    palette: NDArray[Any] | None = None
    foil_thickness_nm: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class RowFrame:
    """One frame of a file whose rows are read when they are wanted.

    Attributes:
        shape: (H, W) in pixels.
        read_rows: First row and the row after the last to these rows, (h, W) or
            (h, W, C), in the type of the file.
        scale: Pixel sizes, or None when the file has none.
        foil_thickness_nm: Along the beam in nm, or None.
        metadata: What the file tells about the instrument.
    """

    shape: tuple[int, int]
    read_rows: Callable[[int, int], NDArray[Any]]
    scale: Scale | None = None
    foil_thickness_nm: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


RowReader: TypeAlias = Callable[[Path, int | None], AbstractContextManager[RowFrame]]
"""A file and a frame number or None to a frame that is open meanwhile."""

Reader: TypeAlias = Callable[[Path, int | None, int], Frame]
"""A file, a frame number or None, and the most pixels to decode, to a frame."""
