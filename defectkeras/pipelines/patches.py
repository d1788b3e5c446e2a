"""Draw one random patch: a pure function of its seed.

A pixel is drawn first, then the patch is laid so that the pixel falls anywhere
in it. A fraction of the patches is drawn where defects are: first a class among
those present, then one of its pixels, so that a class of 0.1 % of the pixels is
seen as often as one of 20 %.
"""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.pipelines.store import ImageStore


@dataclass(frozen=True)
class Window:
    """A square of one micrograph.

    Attributes:
        example: Index of the micrograph.
        top: Row of the upper edge; below 0 where the micrograph is smaller.
        left: Column of the left edge, likewise.
        size: Side in px.
    """

    example: Any
    top: Any
    left: Any
    size: Any


def draw_window(
    store: ImageStore, seed: Any, size: Any, *, rare_class_fraction: float
) -> Window:
    """Draw where a patch lies.

    Args:
        store: The micrographs.
        seed: (2,) integers.
        size: Side of the window in px.
        rare_class_fraction: Probability that the pixel is one of a defect, all
            classes alike; else it is any pixel.
    """
    # float64, since float32 cannot number more than 2^24 pixels
    u = tf.random.stateless_uniform((5,), seed, dtype=tf.float64)
    number = _below(store.num_pixels, u[0])
    if rare_class_fraction > 0 and store.defect_pixels.shape[0] > 0:
        rare = _draw_defect_pixel(store, u[1], u[0])
        number = tf.where(u[2] < rare_class_fraction, rare, number)
    example = tf.searchsorted(store.starts, number[None], "right", tf.int64)[0] - 1
    height, width = tf.unstack(store.shapes[example])
    local = number - store.starts[example]
    return Window(
        example=example,
        top=_lay(local // width, height, size, u[3]),
        left=_lay(local % width, width, size, u[4]),
        size=size,
    )


def cut_window(store: ImageStore, window: Window) -> tuple[Any, Any]:
    """Cut a window out of its micrograph.

    Args:
        store: The micrographs.
        window: May reach beyond the micrograph, which is then mirrored; such
            pixels are not annotated.

    Returns:
        (S, S, 1) float32 image and (S, S) int32 class map.
    """
    height, width = tf.unstack(store.shapes[window.example])
    steps = tf.range(tf.cast(window.size, tf.int64))
    rows, columns = window.top + steps, window.left + steps
    numbers = (
        store.starts[window.example]
        + _mirror(rows, height)[:, None] * width
        + _mirror(columns, width)[None, :]
    )
    inside = _is_inside(rows, height)[:, None] & _is_inside(columns, width)[None, :]
    image = tf.gather(store.images, numbers)[..., None]
    class_map = tf.cast(tf.gather(store.class_maps, numbers), tf.int32)
    return image, tf.where(inside, class_map, NOT_ANNOTATED)


def _draw_defect_pixel(store: ImageStore, u_class: Any, u_pixel: Any) -> Any:
    """Draw a class among those present, then one of its pixels."""
    index = _below(store.defect_starts.shape[0] - 1, u_class)
    first, end = store.defect_starts[index], store.defect_starts[index + 1]
    return store.defect_pixels[first + _below(end - first, u_pixel)]


def _below(count: Any, u: Any) -> Any:
    """Turn u in [0, 1) into an int64 from 0 to count - 1."""
    return tf.cast(u * tf.cast(count, tf.float64), tf.int64)


def _lay(position: Any, length: Any, size: Any, u: Any) -> Any:
    """Give the edge of a window that holds the position, within the image."""
    spare = length - tf.cast(size, tf.int64)  # below 0: the image is smaller
    edge = position - _below(size, u)
    zero = tf.zeros_like(spare)
    return tf.clip_by_value(edge, tf.minimum(spare, zero), tf.maximum(spare, zero))


def _mirror(positions: Any, length: Any) -> Any:
    """Reflect positions into 0 ... length - 1, the edge pixel repeated."""
    folded = positions % (2 * length)
    return tf.minimum(folded, 2 * length - 1 - folded)


def _is_inside(positions: Any, length: Any) -> Any:
    return (positions >= 0) & (positions < length)
