"""From a micrograph of any size to probabilities and classes, tile by tile."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import Image, PredictFn, require_image
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.symmetries import VIEWS, Symmetries
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.micrographs.resize import (
    resize_class_map,
    resize_image,
    resize_probability_map,
    resize_to_pixel_size,
)
from defectkeras.prediction.bands import (
    DEFAULT_TILING,
    OnProgress,
    Prediction,
    predict_bands,
)
from defectkeras.prediction.postprocess import choose_classes
from defectkeras.prediction.tiling import Tiling

__all__ = [
    "DEFAULT_TILING",
    "OnProgress",
    "Prediction",
    "predict_image",
    "predict_micrograph",
]


def predict_image(
    predict_fn: PredictFn,
    image: Image,
    *,
    num_classes: int,
    tiling: Tiling = DEFAULT_TILING,
    symmetries: Symmetries = "none",
    thresholds: Sequence[float] | None = None,
    on_progress: OnProgress | None = None,
) -> Prediction:
    """Predict a normalized image of any size.

    Memory holds the image, the result and one batch of tiles, nothing else. The
    classes of the views are pasted, not blended, from the cores of the tiles.

    Args:
        predict_fn: Gives (N, T, T, K) probabilities for (N, T, T, 1) tiles.
        image: (H, W) in [0, 1].
        num_classes: K, the matrix among them.
        tiling: Sizes of tiles and batches.
        symmetries: Over the views of which to average: "none", "left-right" or
            "square"; that takes as many times as long, up to eight.
        thresholds: Least probabilities of the classes 1 to K - 1; without them
            the most probable class is taken.
        on_progress: Called after each batch.

    Returns:
        The prediction, all of it (H, W).

    Raises:
        ModelError: When `predict_fn` gives an array of another shape or values
            that are not finite.

    Example:
        >>> image = np.array([[0.2, 0.9, 0.8]], dtype=np.float32)
        >>> bright = lambda tiles: np.concatenate([1 - tiles, tiles], axis=-1)
        >>> predict_image(bright, image, num_classes=2).class_map
        array([[0, 1, 1]], dtype=int32)
    """
    image = require_image(image, name="image")
    shape = (image.shape[0], image.shape[1])
    bands = predict_bands(
        predict_fn,
        lambda first, stop: image[first:stop],
        shape,
        num_classes=num_classes,
        tiling=tiling,
        symmetries=symmetries,
        thresholds=thresholds,
        on_progress=on_progress,
    )
    whole = _blank(shape, num_classes, VIEWS[symmetries])
    for first, band in bands:
        for map_of_all, rows in zip(_maps(whole), _maps(band), strict=True):
            map_of_all[first : first + len(rows)] = rows
    return whole


def _blank(
    shape: tuple[int, int], num_classes: int, views: Sequence[int]
) -> Prediction:
    """Give a prediction to be filled."""
    several = len(views) if len(views) > 1 else 0
    small = np.min_scalar_type(num_classes)
    return Prediction(
        np.zeros((*shape, num_classes), dtype=np.float32),
        np.zeros(shape, dtype=np.int32),
        np.zeros(shape, dtype=np.float32) if several else None,
        tuple(np.zeros((several, *shape), dtype=small)),
    )


def _maps(prediction: Prediction) -> list[NDArray[Any]]:
    """Give all maps of a prediction."""
    maps: list[NDArray[Any]] = [prediction.probability_map, prediction.class_map]
    if prediction.uncertainty is not None:
        maps.append(prediction.uncertainty)
    return [*maps, *prediction.view_class_maps]


def predict_micrograph(
    predict_fn: PredictFn,
    micrograph: Micrograph,
    *,
    num_classes: int,
    tiling: Tiling = DEFAULT_TILING,
    symmetries: Symmetries = "none",
    thresholds: Sequence[float] | None = None,
    target_pixel_size_nm: float | None = None,
    on_progress: OnProgress | None = None,
) -> Prediction:
    """Normalize a micrograph as a whole and predict it.

    Args:
        predict_fn: As in `predict_image`.
        micrograph: Raw grey levels, (H, W).
        num_classes: K, the matrix among them.
        tiling: Sizes of tiles and batches.
        symmetries: Over the views of which to average.
        thresholds: Least probabilities of the classes 1 to K - 1.
        target_pixel_size_nm: Resample to this pixel size, predict, and resample
            the probabilities back; None predicts the pixels as they are.
        on_progress: Called after each batch.

    Returns:
        The prediction, (H, W) as the micrograph whatever the target.

    Raises:
        CalibrationError: When a target is given and the pixel size is unknown.
        ModelError: As in `predict_image`.
    """
    scaled = micrograph
    if target_pixel_size_nm is not None:
        scaled = resize_to_pixel_size(micrograph, target_pixel_size_nm)
    prediction = predict_image(
        predict_fn,
        normalize_percentile(scaled.pixels),
        num_classes=num_classes,
        tiling=tiling,
        symmetries=symmetries,
        thresholds=thresholds,
        on_progress=on_progress,
    )
    if scaled.shape == micrograph.shape:
        return prediction
    probability_map = resize_probability_map(
        prediction.probability_map, micrograph.shape
    )
    uncertainty = prediction.uncertainty
    if uncertainty is not None:
        uncertainty = resize_image(uncertainty, micrograph.shape).clip(0, 0.5)
    return Prediction(
        probability_map,
        choose_classes(probability_map, thresholds),
        uncertainty,
        tuple(
            resize_class_map(view, micrograph.shape).astype(view.dtype)
            for view in prediction.view_class_maps
        ),
    )
