"""From a file to a micrograph: one function for every format."""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import MicrographError
from defectkeras.core.file_names import name_of_file
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.names import suggestion
from defectkeras.micrographs.checks import MAX_PIXELS, require_file, to_floats, to_grey
from defectkeras.micrographs.data_bar import data_bar_px
from defectkeras.micrographs.digital_micrograph import read_dm4
from defectkeras.micrographs.emd import read_emd
from defectkeras.micrographs.frame import Frame, Reader, RowFrame
from defectkeras.micrographs.metadata import plain
from defectkeras.micrographs.mrc import read_mrc
from defectkeras.micrographs.ome_zarr import has_zarr, is_ome_zarr, read_ome_zarr
from defectkeras.micrographs.raster import read_bmp, read_jpeg, read_png
from defectkeras.micrographs.rosetta import is_installed, read_rosetta
from defectkeras.micrographs.sidecar import with_sidecar
from defectkeras.micrographs.tiff import read_tiff
from defectkeras.micrographs.units import pixel_size_nm as file_pixel_size_nm

READERS: dict[str, Reader] = {
    ".bmp": read_bmp,
    ".dm3": read_rosetta,
    ".dm4": read_dm4,
    ".elid": read_rosetta,
    ".emd": read_emd,
    ".emi": read_rosetta,
    ".hspy": read_rosetta,
    ".jpeg": read_jpeg,
    ".jpg": read_jpeg,
    ".map": read_mrc,
    ".mrc": read_mrc,
    ".mrcs": read_mrc,
    ".png": read_png,
    ".prz": read_rosetta,
    ".ser": read_rosetta,
    ".tif": read_tiff,
    ".tiff": read_tiff,
    ".tvips": read_rosetta,
    ".zarr": read_ome_zarr,
}
"""Suffix in lower case to the reader of the format."""

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".7z")
_MAX_REASON = 200  # characters of a library's own message


def read_micrograph(
    path: str | Path,
    *,
    pixel_size_nm: float | None = None,
    foil_thickness_nm: float | None = None,
    frame: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Micrograph:
    """Read a micrograph of any known format.

    Nothing is guessed: a file without a pixel size gives a micrograph without
    one, and a unit that is none of length is refused. A text that the microscope
    wrote beside the file counts as part of it (`sidecar`), and a data bar below the
    image of which they tell is left out.

    Args:
        path: The file; its suffix names the format, see `READERS`.
        pixel_size_nm: Side of the pixel in nm; goes before that of the file.
        foil_thickness_nm: Thickness in nm; goes before that of the file.
        frame: Number of the frame in a stack, from 0; a file with one frame
            needs none.
        max_pixels: Larger frames are refused before they are decoded.

    Returns:
        A micrograph with pixels (H, W) float32, a calibration that tells its
        sources ("user", "file tag 34682", "none"), and the metadata.

    Raises:
        MicrographError: When the file is missing, damaged, too large or no
            grey image of real numbers with square pixels; whatever is in it.
        CalibrationError: When an argument is no finite number above 0.
    """
    path = Path(path)
    read = read_frame(path, frame=frame, max_pixels=max_pixels)
    read = with_sidecar(path, read, read.pixels.shape)
    with errors_that_name(path):
        pixels = to_floats(to_grey(read))
        metadata = plain(read.metadata)
    bar_px = data_bar_px(metadata, pixels.shape, lambda a, b: pixels[a:b])
    pixels = pixels[: len(pixels) - bar_px]
    calibration = calibrate(
        path, read, pixel_size_nm=pixel_size_nm, foil_thickness_nm=foil_thickness_nm
    )
    return Micrograph(pixels, calibration, name_of_file(path), metadata, bar_px)


def calibrate(
    path: Path,
    frame: Frame | RowFrame,
    *,
    pixel_size_nm: float | None,
    foil_thickness_nm: float | None,
) -> Calibration:
    """Give pixel size and thickness, those of the user before those of the file.

    Args:
        path: The file.
        frame: What it tells.
        pixel_size_nm: Of the user, or None.
        foil_thickness_nm: Of the user, or None.

    Raises:
        MicrographError: When the unit of the file is none of length.
        CalibrationError: When a size of the user is no finite number above 0.
    """
    with errors_that_name(path):
        size_nm = file_pixel_size_nm(frame.scale) if pixel_size_nm is None else None
    of_file = Calibration(
        size_nm,
        frame.foil_thickness_nm,
        frame.scale.source if frame.scale and size_nm else "none",
        "ImageJ description" if frame.foil_thickness_nm else "none",
    )
    return of_file.with_told(pixel_size_nm, foil_thickness_nm)


def read_frame(
    path: Path, *, frame: int | None = None, max_pixels: int = MAX_PIXELS
) -> Frame:
    """Read a frame as it is in the file, with all its channels.

    Args:
        path: The file.
        frame: Number of the frame in a stack, from 0.
        max_pixels: Larger frames are refused before they are decoded.

    Returns:
        Pixels (H, W) or (H, W, C) in the type of the file, and what the file
        tells about them.

    Raises:
        MicrographError: When the file cannot be read, whatever is in it.
    """
    with errors_that_name(path):
        if not is_ome_zarr(path):
            require_file(path)
        if path.is_file() and path.stat().st_size == 0:
            raise MicrographError("must hold an image. Received: an empty file.")
        suffix = path.suffix.lower()
        if is_packed(path):
            raise MicrographError(
                f"must be unpacked. Received: suffix {path.suffix!r}. Unpack it, and "
                f"give the {Path(path.stem).suffix} file in it."
            )
        if suffix not in READERS:
            known = suggestion(suffix, READERS, most=len(READERS))
            raise MicrographError(
                f"must be of a known format. Received: suffix {path.suffix!r}.{known} "
                "Else convert it to TIFF."
            )
        return READERS[suffix](path, frame, max_pixels)


def is_packed(path: Path) -> bool:
    """Say whether a file is a micrograph that was compressed, such as a.mrc.gz."""
    is_micrograph = Path(path.stem).suffix.lower() in READERS
    return path.suffix.lower() in _PACKED and is_micrograph


def readable_suffixes() -> dict[str, str]:
    """Give the suffixes that can be read now, each with its reader's name.

    Example:
        >>> readable_suffixes()[".tif"]
        'tiff'
    """
    is_there: dict[Reader, bool] = {
        read_rosetta: is_installed(),
        read_ome_zarr: has_zarr(),
    }
    return {
        suffix: reader.__module__.rpartition(".")[2]
        for suffix, reader in READERS.items()
        if is_there.get(reader, True)
    }


@contextlib.contextmanager
def errors_that_name(path: Path) -> Iterator[None]:
    """Turn every error about the contents of a file into one line with its name.

    Args:
        path: The file.

    Raises:
        MicrographError: Instead of whatever is raised inside.
    """
    try:
        yield
    except MicrographError as error:
        raise MicrographError(_one_line(f"{path}: {error}")) from None
    except (struct.error, EOFError) as error:  # readers of tags
        raise MicrographError(
            _one_line(
                f"{path}: must be complete. Received: {_size_of(path)} that end in the "
                "middle of an entry. The file is truncated or damaged; copy it again."
            )
        ) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:_MAX_REASON]
        again = (
            "Copy it again, or convert it to TIFF."
            if path.suffix.lower() in READERS
            else "Copy or save it again."
        )
        raise MicrographError(
            _one_line(
                f"{path}: must be a whole {path.suffix.lower()} file. Received: what "
                f"its reader cannot read ({reason}). {again}"
            )
        ) from error


def _size_of(path: Path) -> str:
    return f"{path.stat().st_size} bytes" if path.is_file() else "files"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
