"""MRC: images and stacks as CCP-EM, SerialEM and others write them.

`mrcfile` knows the header; the pixels are read directly, one section only. Bytes are
signed since MRC2014, and were not before; IMOD, which goes on with both, has a flag for
them (https://bio3d.colorado.edu/imod/doc/mrc_format.txt).
"""

from pathlib import Path
from typing import Any

import numpy as np
from mrcfile.constants import MAP_ID
from mrcfile.dtypes import HEADER_DTYPE
from mrcfile.utils import byte_order_from_machine_stamp, data_dtype_from_header

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.checks import check_plane, choose_frame
from defectkeras.micrographs.frame import Frame, Scale
from defectkeras.micrographs.raw import read_raw

_IMOD = 1146047817  # the stamp that the flags of IMOD follow
_IMOD_AT = slice(40, 48)  # of the second extra space
_BYTES_ARE_SIGNED = 1
_DEFAULT_ANGSTROM = 1.0  # what programs write when they know no size


def read_mrc(path: Path, frame: int | None, max_pixels: int) -> Frame:
    """Read a section of an MRC file; the size of a voxel is in Angstrom."""
    header = _header(path)
    shape = int(header.ny), int(header.nx)
    dtype = _dtype(header)
    check_plane(shape, dtype, max_pixels)
    index = choose_frame(int(header.nz), frame)
    begin = HEADER_DTYPE.itemsize + int(header.nsymbt)
    offset = begin + index * shape[0] * shape[1] * dtype.itemsize
    pixels = read_raw(path, dtype=dtype, shape=shape, offset=offset)
    labels = [bytes(label).decode("latin-1").strip() for label in header.label]
    return Frame(pixels, scale=_scale(header), metadata={"labels": labels})


def _header(path: Path) -> Any:
    """Give the header as a record of NumPy, in the byte order of its stamp."""
    with path.open("rb") as file:
        data = file.read(HEADER_DTYPE.itemsize)
    if len(data) < HEADER_DTYPE.itemsize or data[208:211] != MAP_ID[:3]:
        raise MicrographError(
            "must be an MRC2014 file. Received: a header without 'MAP' in it. Save it "
            "again as MRC2014, or as TIFF."
        )
    dtype = HEADER_DTYPE.newbyteorder(byte_order_from_machine_stamp(data[212:216]))
    header = np.frombuffer(data, dtype=dtype).reshape(()).view(np.recarray)
    if header.nsymbt < 0:
        raise MicrographError(
            "must have an extended header of 0 bytes or more. Received: "
            f"{header.nsymbt}. The file is damaged; copy it again."
        )
    return header


def _dtype(header: Any) -> np.dtype[Any]:
    """Give the type of the values; bytes may be those of before MRC2014."""
    dtype: np.dtype[Any] = np.dtype(data_dtype_from_header(header))
    words = np.frombuffer(header.extra2.tobytes()[_IMOD_AT], header.dtype["nx"])
    is_old = words[0] == _IMOD and not words[1] & _BYTES_ARE_SIGNED
    if dtype == np.int8 and (is_old or header.dmax > np.iinfo(np.int8).max):
        return np.dtype(np.uint8)
    return dtype


def _scale(header: Any) -> Scale | None:
    """Give the size of the cell over the number of voxels along it."""
    along_y, along_x = int(header.my), int(header.mx)
    if along_y < 1 or along_x < 1:
        return None
    rows, columns = float(header.cella.y) / along_y, float(header.cella.x) / along_x
    if rows == columns == _DEFAULT_ANGSTROM:
        return None
    return Scale(rows, columns, "Å", "Å", "MRC header")
