"""Writing a micrograph that this package and ImageJ read back."""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from defectkeras.core.files import whole_file
from defectkeras.core.micrograph import Micrograph

_SMALL_TYPES: tuple[type[np.unsignedinteger[Any]], ...] = (np.uint8, np.uint16)


def write_micrograph(micrograph: Micrograph, path: str | Path) -> None:
    """Write a micrograph as ImageJ TIFF, whole or not at all.

    The pixels are stored as 8 or 16 bit when that loses nothing, else as 32-bit
    floats. Pixel size (nm) and foil thickness stand in the description.

    Args:
        micrograph: The micrograph.
        path: Ends on .tif or .tiff; an older file is replaced.

    Raises:
        ValueError: When the suffix is another one.
    """
    path = Path(path)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise ValueError(f"`path` must end on .tif. Received: {path.name}.")
    calibration = micrograph.calibration
    metadata: dict[str, Any] = {}
    resolution = None
    if calibration.pixel_size_nm is not None:
        metadata["unit"] = "nm"
        resolution = (1 / calibration.pixel_size_nm, 1 / calibration.pixel_size_nm)
    if calibration.foil_thickness_nm is not None:
        metadata["foil_thickness_nm"] = calibration.foil_thickness_nm
    with whole_file(path) as temporary:
        tifffile.imwrite(
            temporary,
            _smallest(micrograph.pixels),
            imagej=True,
            resolution=resolution,
            metadata=metadata,
        )


def _smallest(pixels: NDArray[np.float32]) -> NDArray[Any]:
    """Give the pixels (H, W) in the smallest type that holds them exactly."""
    low, high = float(pixels.min()), float(pixels.max())
    for dtype in _SMALL_TYPES:
        if low >= 0 and high <= np.iinfo(dtype).max:
            small = pixels.astype(dtype)
            if np.array_equal(small, pixels):
                return small
    return pixels
