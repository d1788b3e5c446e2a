"""The arrays that cross a border, by name, and their checks.

Rows come before columns, always.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.float32]
"""(H, W) grey levels; normalised to [0, 1] unless the text says raw."""

Mask: TypeAlias = NDArray[np.bool_]
"""(H, W), true where one class is."""

ClassMap: TypeAlias = NDArray[np.int32]
"""(H, W) class indices: 0 is the matrix, `NOT_ANNOTATED` is unknown."""

LabelMap: TypeAlias = NDArray[np.int32]
"""(H, W) object numbers from 1; 0 is no object."""

ProbabilityMap: TypeAlias = NDArray[np.float32]
"""(H, W, K), the probabilities of the K classes, which add up to 1."""

PredictFn: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Normalised tiles (N, T, T, 1) to probabilities (N, T, T, K)."""

ReadRows: TypeAlias = Callable[[int, int], NDArray[Any]]
"""First row and the row after the last to these rows, (h, W)."""

NOT_ANNOTATED = -1
"""The class index of pixels that nobody annotated."""


def require_image(image: NDArray[Any], *, name: str) -> Image:
    """Check that an array is a grey image and give it back as float32.

    Args:
        image: (H, W) finite numbers.
        name: How the error message calls the array.

    Returns:
        (H, W) float32.

    Raises:
        ValueError: When it has not two axes, is empty or has a value that is
            not finite.
    """
    if image.ndim != 2 or image.size == 0:
        raise ValueError(
            f"`{name}` must be a grey image of shape (H, W) with at least one "
            f"pixel. Received: shape={image.shape}."
        )
    if image.dtype.kind not in "biuf":
        raise ValueError(
            f"`{name}` must hold real numbers. Received: dtype={image.dtype}."
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold is told below
        floats = np.asarray(image, dtype=np.float32)
    if not np.isfinite(floats).all():
        count = int(np.count_nonzero(~np.isfinite(floats)))
        raise ValueError(f"`{name}` must be finite. Received: {count} NaN or infinite.")
    return floats


def require_class_map(
    class_map: NDArray[Any], *, num_classes: int, name: str
) -> ClassMap:
    """Check that an array is a class map and give it back as int32.

    Args:
        class_map: (H, W) integers from `NOT_ANNOTATED` to `num_classes - 1`.
        num_classes: Number of classes, the matrix among them.
        name: How the error message calls the array.

    Returns:
        (H, W) int32.

    Raises:
        ValueError: When it has not two axes, is empty, is not of integers or
            has an index that is no class.
    """
    if class_map.ndim != 2 or class_map.size == 0:
        raise ValueError(
            f"`{name}` must be a class map of shape (H, W) with at least one "
            f"pixel. Received: shape={class_map.shape}."
        )
    if class_map.dtype.kind not in "biu":
        raise ValueError(
            f"`{name}` must hold integers. Received: dtype={class_map.dtype}."
        )
    low, high = int(class_map.min()), int(class_map.max())
    if low < NOT_ANNOTATED or high >= num_classes:
        raise ValueError(
            f"`{name}` must hold class indices from 0 to {num_classes - 1}, or "
            f"{NOT_ANNOTATED} for not annotated. Received: {low} to {high}."
        )
    return np.asarray(class_map, dtype=np.int32)
