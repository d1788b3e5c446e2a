"""Class maps and label maps in files, read strictly and written whole.

The most frequent slip with such files is a 0/255 mask read as class indices,
in which 255 silently means "not annotated"; here it is an error.
"""

from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap, LabelMap
from defectkeras.core.errors import MicrographError
from defectkeras.core.files import whole_file
from defectkeras.micrographs.annotations.colors import describe_colors, is_colored
from defectkeras.micrographs.checks import (
    MAX_PIXELS,
    check_plane,
    require_lossless,
    to_grey,
)
from defectkeras.micrographs.frame import Frame
from defectkeras.micrographs.read import errors_that_name, read_frame

Encoding = Literal["class_index", "class_index_from_1", "binary", "objects", "colors"]

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)

NOT_ANNOTATED_VALUE = 255
"""How `NOT_ANNOTATED` stands in a file of class indices."""

_MASK_VALUES = (1, 255, 65535)
"""What stands for the objects in a mask, beside 0."""

_OUR_MARK = ("Encoding", "class_index")  # text in a PNG that we wrote
_TIFF = (".tif", ".tiff")


def read_class_map(
    path: str | Path,
    *,
    num_classes: int,
    encoding: Encoding = "class_index",
    object_class: int = 1,
) -> ClassMap:
    """Read an annotation as a class map.

    Args:
        path: PNG (also with a palette, whose indices count), TIFF, or .npy.
        num_classes: Number of classes, the matrix among them, up to 255.
        encoding: "class_index": values are classes, 255 is not annotated;
            "class_index_from_1": the matrix is 1 and the classes follow, as
            ilastik writes them, and 0 is not annotated;
            "binary": 0 is the matrix and 1, 255 or 65535 is `object_class`;
            "objects": 0 is the matrix and other numbers are objects of
            `object_class`; a mask is none.
        object_class: Class index of the objects of a binary mask or of objects.

    Returns:
        (H, W) int32 class indices, `NOT_ANNOTATED` where nobody looked.

    Raises:
        MicrographError: When the file cannot be read or does not hold this
            encoding.
        ValueError: When an argument is out of range.
    """
    _require_arguments(num_classes, encoding, object_class)
    path = Path(path)
    values, metadata = _read_integers(path)
    with errors_that_name(path):
        if encoding == "class_index":
            is_ours = metadata.get(_OUR_MARK[0]) == _OUR_MARK[1]
            return _from_indices(values, num_classes, is_ours=is_ours)
        if encoding == "class_index_from_1":
            return _from_indices_from_1(values, num_classes)
        if encoding == "binary":
            _check_binary(values)
        _check_not_negative(values)
        if encoding == "objects":
            _check_numbered(values)
        return np.where(values > 0, np.int32(object_class), np.int32(0))


def read_label_map(path: str | Path) -> LabelMap:
    """Read an annotation of numbered objects.

    Args:
        path: PNG, TIFF or .npy of whole numbers: 0 is no object.

    Returns:
        (H, W) int32 object numbers.

    Raises:
        MicrographError: When the file cannot be read or has other values.
    """
    path = Path(path)
    values, _ = _read_integers(path)
    with errors_that_name(path):
        _check_not_negative(values)
        return np.asarray(values, dtype=np.int32)


def write_class_map(class_map: ClassMap, path: str | Path) -> None:
    """Write a class map as an 8-bit PNG of class indices, whole or not at all.

    Args:
        class_map: (H, W) class indices from `NOT_ANNOTATED`, which becomes
            255, to 254.
        path: Ends on .png.

    Raises:
        ValueError: When an index or the suffix does not fit.
    """
    low, high = int(class_map.min()), int(class_map.max())
    if low < NOT_ANNOTATED or high >= NOT_ANNOTATED_VALUE:
        raise ValueError(
            f"`class_map` must hold indices from {NOT_ANNOTATED} to "
            f"{NOT_ANNOTATED_VALUE - 1}. Received: {low} to {high}."
        )
    _require_suffix(Path(path), (".png",))
    info = PngInfo()
    info.add_text(*_OUR_MARK)
    with whole_file(Path(path)) as temporary:
        # As uint8, NOT_ANNOTATED becomes NOT_ANNOTATED_VALUE.
        Image.fromarray(class_map.astype(np.uint8)).save(temporary, pnginfo=info)


def write_label_map(label_map: LabelMap, path: str | Path) -> None:
    """Write object numbers as 16-bit PNG or as TIFF, whole or not at all.

    Args:
        label_map: (H, W) object numbers from 0; up to 65535 for a PNG.
        path: Ends on .png, .tif or .tiff.

    Raises:
        ValueError: When a number or the suffix does not fit.
    """
    path = Path(path)
    _require_suffix(path, (".png", *_TIFF))
    low, high = int(label_map.min()), int(label_map.max())
    is_small = high <= np.iinfo(np.uint16).max
    if low < 0 or not (is_small or path.suffix.lower() in _TIFF):
        raise ValueError(
            "`label_map` must hold numbers from 0, for a PNG to 65535. "
            f"Received: {low} to {high}. Write a .tif."
        )
    values: Any = label_map.astype(np.uint16 if is_small else np.uint32)
    if _is_mask(values):  # of one object; it would not be read back
        values[values > 0] = 2
    with whole_file(path) as temporary:
        if path.suffix.lower() in _TIFF:
            tifffile.imwrite(temporary, values, photometric="minisblack")
        else:
            Image.fromarray(values).save(temporary)


def _read_integers(path: Path) -> tuple[NDArray[Any], dict[str, Any]]:
    """Give whole numbers (H, W), and the texts of the file."""
    require_lossless(path)
    if path.suffix.lower() == ".npy":
        with errors_that_name(path):
            return _as_integers(_read_npy(path)), {}
    frame = read_frame(path)
    with errors_that_name(path):
        if is_colored(frame):
            raise MicrographError(
                f"must hold numbers for its pixels. {describe_colors(frame)}"
            )
        indices = Frame(frame.pixels)  # without the palette
        values = to_grey(indices)
        return _as_integers(values), dict(frame.metadata)


def _read_npy(path: Path) -> NDArray[Any]:
    """Give the array (H, W) of a file of NumPy, in which nothing is pickled."""
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    check_plane(values.shape, values.dtype, MAX_PIXELS)
    if values.ndim != 2:
        raise MicrographError(
            f"must have rows and columns. Received: shape {values.shape}."
        )
    return np.array(values)


def _as_integers(values: NDArray[Any]) -> NDArray[Any]:
    """Give integers; ImageJ's plugins write them as floats."""
    if values.dtype.kind != "f":
        return values.astype(np.uint8) if values.dtype.kind == "b" else values
    limit = np.iinfo(np.int32).max
    is_whole = np.isfinite(values) & (np.abs(values) < limit)
    integers = np.where(is_whole, values, 0).astype(np.int32)
    if not (is_whole & (integers == values)).all():
        raise MicrographError(
            "must hold whole numbers. Received: values with fractions, such as "
            "probabilities. Save class indices or object numbers."
        )
    return integers


def _from_indices(values: NDArray[Any], num_classes: int, *, is_ours: bool) -> ClassMap:
    """Give the class map of class indices after a check of their values."""
    found = np.unique(values).tolist()
    if not is_ours and found in ([0, NOT_ANNOTATED_VALUE], [NOT_ANNOTATED_VALUE]):
        raise MicrographError(
            "must hold class indices. Received: only 0 and 255, where 255 would mean "
            'not annotated. Did you mean encoding = "binary"?'
        )
    strange = [v for v in found if not 0 <= v < num_classes]
    strange = [v for v in strange if v != NOT_ANNOTATED_VALUE]
    if strange:
        raise MicrographError(
            f"must hold class indices from 0 to {num_classes - 1}, or 255 for not "
            f"annotated. Received: {_listed(strange)}. Check the classes, or use "
            'encoding = "binary" for a mask of one class, "objects" for object numbers.'
        )
    class_map = values.astype(np.int32)
    class_map[class_map == NOT_ANNOTATED_VALUE] = NOT_ANNOTATED
    return class_map


def _from_indices_from_1(values: NDArray[Any], num_classes: int) -> ClassMap:
    """Give the class map of class indices that count the matrix as 1."""
    strange = [v for v in np.unique(values).tolist() if not 0 <= v <= num_classes]
    if strange:
        raise MicrographError(
            f"must hold classes from 1 (the matrix) to {num_classes}, or 0 for not "
            f"annotated. Received: {_listed(strange)}. Check the classes."
        )
    return np.where(values == 0, np.int32(NOT_ANNOTATED), values.astype(np.int32) - 1)


def _check_binary(values: NDArray[Any]) -> None:
    found = np.unique(values).tolist()
    if not any(set(found) <= {0, high} for high in _MASK_VALUES):
        raise MicrographError(
            "must hold two values, 0 and 1, 255 or 65535. Received: "
            f'{_listed(found)}. Did you mean encoding = "class_index" or "objects"?'
        )


def _check_not_negative(values: NDArray[Any]) -> None:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > np.iinfo(np.int32).max:
        raise MicrographError(
            "must hold object numbers from 0 to 2147483647. "
            f"Received: {low} to {high}. Number the objects from 1."
        )


def _check_numbered(values: NDArray[Any]) -> None:
    """Refuse a mask, in which all objects have one number and would be one."""
    if _is_mask(values):
        raise MicrographError(
            f"must number each object. Received: only {values.max()}, in places apart, "
            'as in a mask. Did you mean encoding = "binary"? If they are one object, '
            "give it the number 2."
        )


def _is_mask(values: NDArray[Any]) -> bool:
    """Say whether numbers look like a mask: one that masks have, in places apart."""
    found = np.unique(values[values > 0])
    if len(found) != 1 or found[0] not in _MASK_VALUES:
        return False
    return bool(cv2.connectedComponents((values > 0).astype(np.uint8))[0] > 2)


def _listed(values: list[Any], most: int = 8) -> str:
    dots = ", ..." if len(values) > most else ""
    return ", ".join(str(v) for v in values[:most]) + dots


def _require_arguments(num_classes: int, encoding: str, object_class: int) -> None:
    known = [e for e in ENCODINGS if e != "colors"]  # those are read by `colors`
    if encoding not in known:
        raise ValueError(f"`encoding` must be of {known}. Received: {encoding!r}.")
    if not 2 <= num_classes <= NOT_ANNOTATED_VALUE or not (
        1 <= object_class < num_classes
    ):
        raise ValueError(
            "`num_classes` must be from 2 to 255 and `object_class` from 1 to "
            f"num_classes - 1. Received: {num_classes} and {object_class}."
        )


def _require_suffix(path: Path, suffixes: tuple[str, ...]) -> None:
    if path.suffix.lower() not in suffixes:
        raise ValueError(
            f"`path` must end on {' or '.join(suffixes)}. Received: {path.name}."
        )
