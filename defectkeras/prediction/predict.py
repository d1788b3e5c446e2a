"""From a micrograph of any size to probabilities and classes, tile by tile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import (
    ClassMap,
    Image,
    PredictFn,
    ProbabilityMap,
    require_image,
)
from defectkeras.core.errors import ModelError
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.micrographs.resize import (
    resize_class_map,
    resize_image,
    resize_probability_map,
    resize_to_pixel_size,
)
from defectkeras.prediction.postprocess import apply_thresholds, most_probable_class
from defectkeras.prediction.symmetries import (
    NUM_SYMMETRIES,
    transform,
    transform_back,
)
from defectkeras.prediction.tiling import (
    Tiling,
    blend_tiles,
    cut_tiles,
    paste_tiles,
    plan_tiles,
)

OnProgress = Callable[[int, int], None]
"""Called with the number of tiles that are done, and of all."""

DEFAULT_TILING = Tiling()


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says about a micrograph.

    Attributes:
        probability_map: (H, W, K) float32, adds up to 1 over the classes.
        class_map: (H, W) int32, 0 is the matrix.
        uncertainty: (H, W) float32 in [0, 0.5], the standard deviation of a
            pixel's probability over the eight views, of the class where it is
            largest; None without `augment`.
        view_class_maps: (H, W) each, of the eight views alone, in a small integer
            type; none without `augment`.
    """

    probability_map: ProbabilityMap
    class_map: ClassMap
    uncertainty: NDArray[np.float32] | None = None
    view_class_maps: tuple[NDArray[Any], ...] = ()


def predict_image(
    predict_fn: PredictFn,
    image: Image,
    *,
    num_classes: int,
    tiling: Tiling = DEFAULT_TILING,
    augment: bool = False,
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
        augment: Whether to average over the eight symmetries of the square;
            it takes eight times as long.
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
    height, width = image.shape
    plan = plan_tiles((height, width), tiling)
    mean = np.zeros((height, width, num_classes), dtype=np.float32)
    spread = np.zeros((height, width, 1), dtype=np.float32) if augment else None
    views = np.zeros(
        (NUM_SYMMETRIES if augment else 0, height, width),
        dtype=np.min_scalar_type(num_classes),
    )
    done = 0
    for positions in plan.batches(tiling.batch_size):
        tiles = cut_tiles(image, plan, positions)
        if spread is None:
            blend_tiles(mean, _predict(predict_fn, tiles, num_classes), plan, positions)
        else:
            tile_mean, tile_spread, tile_views = _predict_views(
                predict_fn, tiles, num_classes, thresholds
            )
            for view, classes in zip(views, tile_views, strict=True):
                paste_tiles(view, classes, plan, positions)
            blend_tiles(mean, tile_mean, plan, positions)
            blend_tiles(spread, tile_spread, plan, positions)
        done += len(positions)
        if on_progress is not None:
            on_progress(done, plan.num_tiles)
    return Prediction(
        probability_map=mean,
        class_map=_classes(mean, thresholds),
        uncertainty=None if spread is None else spread[..., 0],
        view_class_maps=tuple(views),
    )


def predict_micrograph(
    predict_fn: PredictFn,
    micrograph: Micrograph,
    *,
    num_classes: int,
    tiling: Tiling = DEFAULT_TILING,
    augment: bool = False,
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
        augment: Whether to average over eight views.
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
        augment=augment,
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
        _classes(probability_map, thresholds),
        uncertainty,
        tuple(
            resize_class_map(view, micrograph.shape).astype(view.dtype)
            for view in prediction.view_class_maps
        ),
    )


def _predict(
    predict_fn: PredictFn, tiles: NDArray[np.float32], num_classes: int
) -> NDArray[np.float32]:
    """Ask the network about (N, T, T, 1) tiles and check (N, T, T, K)."""
    probabilities = np.asarray(predict_fn(tiles), dtype=np.float32)
    expected = (*tiles.shape[:3], num_classes)
    if probabilities.shape != expected:
        raise ModelError(
            f"The model must give probabilities of shape {expected} for "
            f"{num_classes} classes. Received: shape={probabilities.shape}."
        )
    if not np.isfinite(probabilities).all():
        raise ModelError(
            "The model must give finite probabilities. Received: NaN or infinite "
            "ones, so its weights are damaged or its input is not in [0, 1]."
        )
    return probabilities


def _predict_views(
    predict_fn: PredictFn,
    tiles: NDArray[np.float32],
    num_classes: int,
    thresholds: Sequence[float] | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[NDArray[Any]]]:
    """Give mean (N, T, T, K), spread (N, T, T, 1) and classes of the eight views.

    The running form of Welford keeps two arrays instead of eight and loses no
    digits where the views agree.
    """
    mean = np.zeros((*tiles.shape[:3], num_classes), dtype=np.float32)
    squares = np.zeros_like(mean)
    classes = []
    for index in range(NUM_SYMMETRIES):
        turned = _predict(predict_fn, transform(tiles, index), num_classes)
        view = transform_back(turned, index)
        deviation = view - mean
        mean += deviation / (index + 1)
        squares += deviation * (view - mean)
        classes.append(
            _classes(view, thresholds).astype(np.min_scalar_type(num_classes))
        )
    spread = np.sqrt(squares / NUM_SYMMETRIES).max(axis=-1, keepdims=True)
    return mean, spread, classes


def _classes(
    probability_map: ProbabilityMap, thresholds: Sequence[float] | None
) -> ClassMap:
    """Give classes (H, W) by thresholds where there are any."""
    if thresholds is None:
        return most_probable_class(probability_map)
    return apply_thresholds(probability_map, thresholds)
