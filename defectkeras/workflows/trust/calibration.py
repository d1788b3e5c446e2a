"""A temperature for a trained model, from examples that it has not seen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import NOT_ANNOTATED, PredictFn
from defectkeras.core.symmetries import (
    VIEWS,
    Symmetries,
    transform,
    transform_back,
)
from defectkeras.datasets.spec import LoadedExample
from defectkeras.metrics.reliability import count_reliability
from defectkeras.metrics.temperature import fit_temperature, tempered_probabilities
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.micrographs.resize import resize_class_map, resize_to_pixel_size
from defectkeras.prediction.predict import predict_image
from defectkeras.prediction.tiling import Tiling
from defectkeras.workflows.trust.held_out import HeldOut, examples_of
from defectkeras.workflows.trust.thresholds import tiling_of

if TYPE_CHECKING:
    import keras

MOST_PIXELS = 1 << 18
"""On so many pixels a temperature is fitted; more change its third digit."""


def calibrate(
    held_out: Sequence[HeldOut],
    *,
    target_pixel_size_nm: float | None = None,
    symmetries: Symmetries = "none",
    split: str = "val",
) -> dict[str, Any]:
    """Find the temperature by which the logits of a model suit unseen examples best.

    Args:
        held_out: The model (B, H, W, 1) to logits (B, H, W, K), or several that were
            trained alike, and the examples that each has not seen, with an annotated
            pixel.
        target_pixel_size_nm: To which they are resampled.
        symmetries: Over the views of which probabilities are the mean, which is less
            sure of itself than one of them.
        split: What the examples are called.

    Returns:
        For the card the temperature and the expected calibration error of the
        likeliest class, before and after, on the same pixels.
    """
    most = MOST_PIXELS // len(examples_of(held_out))
    drawn = []
    for part in held_out:
        predict, tiling = _logits_of(part.model), tiling_of(part.model)
        for example in part.examples:
            scaled = _resampled(example, target_pixel_size_nm)
            places = _draw_places(scaled, most)
            logits = _logits_at(
                places,
                scaled,
                predict,
                part.model.output_shape[-1],
                tiling,
                VIEWS[symmetries],
            )
            drawn.append((logits, scaled.class_map.ravel()[places]))
    logits = np.concatenate([values for values, _ in drawn], axis=1)
    classes = np.concatenate([truth for _, truth in drawn])
    temperature = fit_temperature(logits, classes)
    return {
        "split": split,
        "pixels": len(classes),
        "temperature": temperature,
        "calibration_error_before": _calibration_error(logits, classes, 1.0),
        "calibration_error_after": _calibration_error(logits, classes, temperature),
    }


def _resampled(example: LoadedExample, pixel_size_nm: float | None) -> LoadedExample:
    if pixel_size_nm is None:
        return example
    micrograph = resize_to_pixel_size(example.micrograph, pixel_size_nm)
    class_map = resize_class_map(example.class_map, micrograph.shape)
    return LoadedExample(micrograph, class_map)


def _draw_places(example: LoadedExample, most: int) -> NDArray[np.integer]:
    """Give the places of annotated pixels, the same ones each time."""
    places = np.flatnonzero(example.class_map != NOT_ANNOTATED)
    if len(places) <= most:
        return places
    return np.random.default_rng(0).choice(places, most, replace=False)


def _logits_at(
    places: NDArray[np.integer],
    example: LoadedExample,
    predict: PredictFn,
    num_maps: int,
    tiling: Tiling,
    views: Sequence[int],
) -> NDArray[np.float32]:
    """Give the logits (V, N, K) of each view at N places."""
    image = normalize_percentile(example.micrograph.pixels)[np.newaxis, ..., np.newaxis]
    found_by_view = []
    for index in views:
        turned = transform(image, index)[0, ..., 0]
        found = predict_image(predict, turned, num_classes=num_maps, tiling=tiling)
        logits = transform_back(found.probability_map[np.newaxis], index)
        found_by_view.append(logits.reshape(-1, num_maps)[places])
    return np.stack(found_by_view)


def _logits_of(model: "keras.Model") -> PredictFn:
    """Give a function from tiles (N, T, T, 1) to logits (N, T, T, K)."""
    import tensorflow as tf

    forward = tf.function(lambda x: model(x, training=False), reduce_retracing=True)
    return lambda tiles: tf.cast(forward(tf.constant(tiles)), tf.float32).numpy()


def _calibration_error(
    logits: NDArray[np.float32], classes: NDArray[np.integer], temperature: float
) -> float:
    probabilities = tempered_probabilities(logits, temperature)
    counts = count_reliability(
        classes[np.newaxis].astype(np.int32),
        probabilities[np.newaxis].astype(np.float32),
    )
    return counts.expected_calibration_error
