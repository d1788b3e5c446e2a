"""Which image sizes a model takes."""

from collections.abc import Sequence
from typing import TypeAlias

from defectkeras.core.errors import ModelError

InputShape: TypeAlias = tuple[int | None, int | None, int]
"""(H, W, C) of an image; H and W may be None, which is any size."""


def require_input_shape(input_shape: Sequence[int | None], *, stride: int) -> None:
    """Check the shape of a model's input.

    Args:
        input_shape: (H, W, C); H and W may be None, which is any size.
        stride: The number that height and width must be a multiple of.

    Raises:
        ModelError: When it has not three axes, has no channel, or a given
            height or width is no multiple of the stride; the padded size is
            told.

    Example:
        >>> require_input_shape((100, 92, 1), stride=8)
        Traceback (most recent call last):
        defectkeras.core.errors.ModelError: Height and width must be multiples \
of 8. Received: (100, 92). Pad the image to (104, 96).
    """
    if len(input_shape) != 3 or input_shape[2] is None or input_shape[2] < 1:
        raise ModelError(
            "`input_shape` must be (height, width, channels) with at least one "
            f"channel. Received: {tuple(input_shape)}."
        )
    size = tuple(input_shape[:2])
    padded = tuple(
        None if side is None else -(-max(side, 1) // stride) * stride for side in size
    )
    if padded != size:
        raise ModelError(
            f"Height and width must be multiples of {stride}. Received: {size}. "
            f"Pad the image to {padded}."
        )


def require_positive(**numbers: int) -> None:
    """Check that each number is at least 1, or raise a ValueError that names it."""
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={number}.")
