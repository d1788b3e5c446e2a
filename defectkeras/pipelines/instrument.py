"""What the instrument does to a patch: shot noise, scan, charging, distortion.

Each is a pure function of its seed. Where pixels move, image and class map move
together; the image is interpolated, the class map takes the nearest pixel.
"""

from typing import Any

import tensorflow as tf


def add_shot_noise(image: Any, seed: Any, largest: float) -> Any:
    """Add noise whose variance is in proportion to the grey level.

    Counting N electrons has the variance N; for more than a few it is a Gaussian, which
    is what is drawn, since it costs less.

    Args:
        image: (P, P, 1) float32 in [0, 1].
        seed: (2,) integers.
        largest: Variance at the grey level 1; the patch's own is drawn below it.

    Returns:
        (P, P, 1), not clipped.
    """
    which, how = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    variance = tf.random.stateless_uniform((), which, 0.0, largest)
    deviation = tf.sqrt(variance * tf.clip_by_value(image, 0.0, 1.0))
    return image + deviation * tf.random.stateless_normal(tf.shape(image), how)


def add_gradient(image: Any, seed: Any, largest: float) -> Any:
    """Add a plane in any direction, as charging or thickness do.

    Args:
        image: (P, P, 1) float32.
        seed: (2,) integers.
        largest: Change across the patch; the patch's own is drawn below it.

    Returns:
        (P, P, 1) of the same mean, not clipped.
    """
    u = tf.random.stateless_uniform((2,), seed)
    angle, size = 6.2831853 * u[0], largest * u[1]
    ramp = tf.linspace(-0.5, 0.5, image.shape[0])
    rows = tf.sin(angle) * ramp[:, None]
    columns = tf.cos(angle) * ramp[None, :]
    return image + size * (rows + columns)[..., None]


def jitter_lines(
    image: Any, class_map: Any, seed: Any, largest_px: float
) -> tuple[Any, Any]:
    """Move each scan line along itself by whole pixels, as unstable scan coils do.

    Args:
        image: (P, P, 1) float32.
        class_map: (P, P) int32.
        seed: (2,) integers.
        largest_px: Standard deviation; the patch's own is drawn below it.

    Returns:
        The same shapes; what comes in from the side is a mirror image.
    """
    side = image.shape[0]
    which, how = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    deviation = tf.random.stateless_uniform((), which, 0.0, largest_px)
    shifts = deviation * tf.random.stateless_normal((side,), how)
    shifts = tf.cast(tf.round(shifts), tf.int32)
    columns = _reflect(tf.range(side)[None, :] + shifts[:, None], side)
    return (
        tf.gather(image, columns, batch_dims=1),
        tf.gather(class_map, columns, batch_dims=1),
    )


def warp(
    image: Any, class_map: Any, seed: Any, *, largest_px: float, scale_px: float
) -> tuple[Any, Any]:
    """Warp a patch smoothly, as drift and distortion do.

    Displacements are normal at the knots of a coarse grid and cubic between them.

    Args:
        image: (P, P, 1) float32.
        class_map: (P, P) int32.
        seed: (2,) integers.
        largest_px: Standard deviation at the knots; the patch's own is drawn below.
        scale_px: Distance of the knots; the patch does not fold while it is at least
            eight times the largest displacement.

    Returns:
        The same shapes; the image bilinear, the class map by the nearest pixel.
    """
    side = image.shape[0]
    which, how = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    deviation = tf.random.stateless_uniform((), which, 0.0, largest_px)
    knots = max(2, round(side / scale_px) + 1)
    coarse = tf.random.stateless_truncated_normal((knots, knots, 2), how)
    moves = deviation * tf.image.resize(coarse, (side, side), "bicubic")
    steps = tf.range(side, dtype=tf.float32)
    last = tf.cast(side - 1, tf.float32)
    rows = tf.clip_by_value(steps[:, None] + moves[..., 0], 0.0, last)
    columns = tf.clip_by_value(steps[None, :] + moves[..., 1], 0.0, last)
    nearest = tf.stack([tf.round(rows), tf.round(columns)], -1)
    class_map = tf.gather_nd(class_map, tf.cast(nearest, tf.int32))
    return _bilinear(image, rows, columns), class_map


def _bilinear(image: Any, rows: Any, columns: Any) -> Any:
    """Give the grey levels between pixels."""
    top, left = tf.floor(rows), tf.floor(columns)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    last = image.shape[0] - 1

    def at(row_step: int, column_step: int) -> Any:
        row = tf.minimum(tf.cast(top, tf.int32) + row_step, last)
        column = tf.minimum(tf.cast(left, tf.int32) + column_step, last)
        return tf.gather_nd(image, tf.stack([row, column], -1))

    upper = (1 - right) * at(0, 0) + right * at(0, 1)
    lower = (1 - right) * at(1, 0) + right * at(1, 1)
    return (1 - down) * upper + down * lower


def _reflect(positions: Any, length: int) -> Any:
    folded = positions % (2 * length)
    return tf.minimum(folded, 2 * length - 1 - folded)
