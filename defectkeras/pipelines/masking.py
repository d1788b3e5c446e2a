"""Hide squares of an image, for a network that learns to fill them in."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

HIDDEN_GREY = 0.5


@dataclass(frozen=True)
class Masking:
    """What is hidden.

    Attributes:
        square_px: Side of a hidden square in px; patches are multiples of it.
        fraction: Part of the squares that is hidden, between 0 and 1.
    """

    square_px: int = 16
    fraction: float = 0.5


def hide_squares(images: Any, seed: Any, masking: Masking) -> tuple[Any, Any]:
    """Hide squares of a grid at random.

    Args:
        images: (B, P, P, 1) float32 in [0, 1].
        seed: (2,) integers.
        masking: How much.

    Returns:
        (B, P, P, 1) with `HIDDEN_GREY` in the hidden squares, and (B, P, P, 2): the
        images as they were, and 1 where they are hidden.
    """
    count, side = tf.shape(images)[0], images.shape[1] // masking.square_px
    drawn = tf.random.stateless_uniform((count, side, side, 1), seed)
    hidden = tf.cast(drawn < masking.fraction, images.dtype)
    hidden = tf.repeat(hidden, masking.square_px, axis=1)
    hidden = tf.repeat(hidden, masking.square_px, axis=2)
    seen = images * (1 - hidden) + HIDDEN_GREY * hidden
    return seen, tf.concat([images, hidden], axis=-1)


def build_masked_dataset(patches: Any, *, seed: int, masking: Masking) -> Any:
    """Turn batches of patches into pairs of what is seen and what is wanted.

    Args:
        patches: A `tf.data.Dataset` of (image (B, P, P, 1), anything).
        seed: Of what is hidden; batch i depends on (seed, i) alone.
        masking: How much.

    Returns:
        A dataset of as many pairs as `hide_squares` gives.
    """

    def hide(number: Any, batch: tuple[Any, Any]) -> tuple[Any, Any]:
        return hide_squares(
            batch[0], tf.stack([tf.cast(seed, tf.int64), number]), masking
        )

    return patches.enumerate().map(hide)
