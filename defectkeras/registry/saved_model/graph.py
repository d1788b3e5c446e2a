"""The steps around the network inside an export, in TensorFlow operations.

They do what `micrographs.normalize_percentile` and the tiler do in NumPy, with plain
operations only: TensorFlow Serving runs without XLA.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from defectkeras.micrographs.normalize import SMALLEST_SPAN


def normalize_images(image: Any, *, low_percent: float, high_percent: float) -> Any:
    """Bring each image of a batch to [0, 1] between two percentiles of its own.

    Percentiles lie between sorted grey levels by linear interpolation. The numbers
    are rounded where NumPy rounds them, so that a small contrast on a large offset
    comes out the same. A constant image becomes zeros.

    Args:
        image: (B, H, W, 1) float32 raw grey levels, finite.
        low_percent: Percentile that becomes 0, in 0 to 100.
        high_percent: Percentile that becomes 1.

    Returns:
        (B, H, W, 1) float32 in [0, 1].
    """
    levels = tf.reshape(image, (tf.shape(image)[0], -1))  # (B, H * W)
    low = -_percentile(-levels, 100.0 - low_percent)[:, tf.newaxis]
    high = _percentile(levels, high_percent)[:, tf.newaxis]
    span = high - low
    span = tf.where(span < SMALLEST_SPAN, tf.zeros_like(span), span)
    scale = tf.math.divide_no_nan(tf.ones_like(span), span)
    scaled = (levels - tf.cast(low, tf.float32)) * tf.cast(scale, tf.float32)
    return tf.reshape(tf.clip_by_value(scaled, 0.0, 1.0), tf.shape(image))


def _percentile(levels: Any, percent: float) -> Any:
    """Give a high percentile of each row, from the few largest values only.

    Sorting the whole row would take forty times as long at 2048 x 2048.

    Args:
        levels: (B, N) float32.
        percent: In 0 to 100.

    Returns:
        (B,) float64.
    """
    last = tf.shape(levels)[1] - 1
    place = percent / 100.0 * tf.cast(last, tf.float64)
    below = tf.cast(tf.floor(place), tf.int32)
    largest = tf.math.top_k(levels, k=last - below + 1).values  # falling
    at_below = tf.cast(largest[:, -1], tf.float64)
    at_above = tf.cast(largest[:, tf.maximum(last - below - 1, 0)], tf.float64)
    fraction = place - tf.cast(below, tf.float64)
    return at_below + fraction * (at_above - at_below)


def predict_padded(predict: Callable[[Any], Any], image: Any, *, stride: int) -> Any:
    """Mirror images at the far edges up to the stride, predict, and crop.

    Args:
        predict: (B, H', W', 1) to (B, H', W', K), H' and W' multiples of the stride.
        image: (B, H, W, 1) float32.
        stride: In px.

    Returns:
        (B, H, W, K) float32.
    """
    height, width = tf.shape(image)[1], tf.shape(image)[2]
    padded = tf.gather(image, _mirrored_indices(height, stride), axis=1)
    padded = tf.gather(padded, _mirrored_indices(width, stride), axis=2)
    return predict(padded)[:, :height, :width, :]


def _mirrored_indices(length: Any, stride: int) -> Any:
    """Give 0 ... length - 1, length - 1, ... up to the next multiple of the stride.

    Unlike `tf.pad` it also mirrors an image that is smaller than what is missing.
    """
    indices = tf.range(-(-length // stride) * stride) % (2 * length)
    return tf.minimum(indices, 2 * length - 1 - indices)


def class_probabilities(logits: Any) -> Any:
    """Turn logits into the probabilities of at least two classes.

    Args:
        logits: (B, H, W, K); with K = 1 of the one defect class, against the matrix.

    Returns:
        (B, H, W, max(K, 2)) float32, adding up to 1 in each pixel.
    """
    logits = tf.cast(logits, tf.float32)
    if logits.shape[-1] == 1:
        defect = tf.sigmoid(logits)
        return tf.concat([1.0 - defect, defect], axis=-1)
    return tf.nn.softmax(logits, axis=-1)


def classes_of(probability_map: Any, thresholds: Sequence[float] | None) -> Any:
    """Give each pixel its class, as `most_probable_class` and `apply_thresholds` do.

    Args:
        probability_map: (B, H, W, K).
        thresholds: K - 1 values in (0, 1], or None for the most probable class.

    Returns:
        (B, H, W) uint8.
    """
    if thresholds is None:
        return tf.cast(tf.argmax(probability_map, axis=-1), tf.uint8)
    ratios = probability_map[..., 1:] / tf.constant(thresholds, tf.float32)
    best = tf.argmax(ratios, axis=-1) + 1
    passes = tf.reduce_max(ratios, axis=-1) >= 1
    return tf.cast(tf.where(passes, best, tf.zeros_like(best)), tf.uint8)
