"""Bands of a prediction: rows that are done while those below are not read yet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, Image, PredictFn, ProbabilityMap
from defectkeras.core.errors import ModelError
from defectkeras.core.symmetries import (
    VIEWS,
    Symmetries,
    transform,
    transform_back,
)
from defectkeras.prediction.postprocess import choose_classes
from defectkeras.prediction.tiling import (
    Tiling,
    blend_tiles,
    cut_tiles,
    paste_tiles,
    plan_tiles,
    rows_of_tiles,
)

OnProgress = Callable[[int, int], None]
"""Called with the number of tiles that are done, and of all."""

DEFAULT_TILING = Tiling()

BAND_PX = 1 << 22
"""Pixels of a band: what is made of it must not take more memory than its tiles."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says about a micrograph.

    Attributes:
        probability_map: (H, W, K) float32, adds up to 1 over the classes.
        class_map: (H, W) int32, 0 is the matrix.
        uncertainty: (H, W) float32 in [0, 0.5], the standard deviation of a
            pixel's probability over the views, of the class where it is largest;
            None of one view.
        view_class_maps: (H, W) each, of the views alone, in a small integer type;
            none of one view.
    """

    probability_map: ProbabilityMap
    class_map: ClassMap
    uncertainty: NDArray[np.float32] | None = None
    view_class_maps: tuple[NDArray[Any], ...] = ()


def predict_bands(
    predict_fn: PredictFn,
    read_rows: Callable[[int, int], Image],
    shape: tuple[int, int],
    *,
    num_classes: int,
    tiling: Tiling = DEFAULT_TILING,
    symmetries: Symmetries = "none",
    thresholds: Sequence[float] | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[tuple[int, Prediction]]:
    """Predict a normalized image whose rows are read when it is their turn.

    Memory holds the rows of some tiles, whatever the height of the image.

    Args:
        predict_fn: As in `predict_image`.
        read_rows: First row and the row after the last to these rows, (h, W).
        shape: (H, W) of the image.
        num_classes: K, the matrix among them.
        tiling: Sizes of tiles and batches.
        symmetries: Over the views of which to average.
        thresholds: Least probabilities of the classes 1 to K - 1.
        on_progress: Called after each batch.

    Yields:
        From the first to the last, rows that are done: the first one's number, and
        the prediction of all of them.

    Raises:
        ModelError: As in `predict_image`.
    """
    plan = plan_tiles(shape, tiling)
    ask = partial(
        _predict_plainly
        if symmetries == "none"
        else partial(_predict_views, views=VIEWS[symmetries]),
        predict_fn,
        num_classes=num_classes,
        thresholds=thresholds,
    )
    top = done = 0
    totals: list[NDArray[Any]] = []
    held, rows = (0, 0), np.zeros((0, shape[1]), dtype=np.float32)
    band = max(BAND_PX // shape[1], 1)
    starts = [row for row in plan.rows for _ in plan.columns] + [shape[0]]
    for positions in plan.batches(tiling.batch_size):
        needed = rows_of_tiles(plan, positions)
        if needed != held:  # neighbors along the columns need the same
            del rows  # before there are others
            held, rows = needed, read_rows(*needed)
        tiles = cut_tiles(rows, plan, positions, first_row=held[0])
        means, views = ask(tiles)
        bottom = min(positions[-1][0] + plan.core_size, shape[0])
        totals = _longer(totals, [*means, *views], (bottom - top, shape[1]))
        for number, values in enumerate([*means, *views]):
            add = blend_tiles if number < len(means) else paste_tiles
            add(totals[number], values, plan, positions, first_row=top)
        done += len(positions)
        if on_progress is not None:
            on_progress(done, plan.num_tiles)
        ready = starts[done] - top
        for first in range(0, ready, band):
            part = [t[first : min(first + band, ready)] for t in totals]
            yield top + first, _finish(part, len(means), thresholds)
        if ready > 0:
            totals, top = [t[ready:].copy() for t in totals], top + ready


def _longer(
    totals: list[NDArray[Any]], values: list[NDArray[Any]], shape: tuple[int, int]
) -> list[NDArray[Any]]:
    """Give the sums (h, W, ...) with blank rows below, in the types of some values."""
    if totals and len(totals[0]) == shape[0]:
        return totals
    longer = [np.zeros((*shape, *v.shape[3:]), dtype=v.dtype) for v in values]
    for new, old in zip(longer, totals, strict=bool(totals)):
        new[: len(old)] = old
    return longer


def _finish(
    totals: list[NDArray[Any]], means: int, thresholds: Sequence[float] | None
) -> Prediction:
    """Give the prediction of rows, of mean, spread if any, and classes of views."""
    return Prediction(
        probability_map=totals[0],
        class_map=choose_classes(totals[0], thresholds),
        uncertainty=totals[1][..., 0] if means > 1 else None,
        view_class_maps=tuple(totals[means:]),
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


def _predict_plainly(
    predict_fn: PredictFn,
    tiles: NDArray[np.float32],
    *,
    num_classes: int,
    thresholds: Sequence[float] | None,
) -> tuple[list[NDArray[np.float32]], list[NDArray[Any]]]:
    """Give the probabilities (N, T, T, K), and no views."""
    del thresholds  # of views alone
    return [_predict(predict_fn, tiles, num_classes)], []


def _predict_views(
    predict_fn: PredictFn,
    tiles: NDArray[np.float32],
    *,
    views: Sequence[int],
    num_classes: int,
    thresholds: Sequence[float] | None,
) -> tuple[list[NDArray[np.float32]], list[NDArray[Any]]]:
    """Give mean (N, T, T, K) and spread (N, T, T, 1), and classes of the views.

    The running form of Welford keeps two arrays instead of one a view and loses no
    digits where the views agree.
    """
    mean = np.zeros((*tiles.shape[:3], num_classes), dtype=np.float32)
    squares = np.zeros_like(mean)
    classes = []
    for count, index in enumerate(views, start=1):
        turned = _predict(predict_fn, transform(tiles, index), num_classes)
        view = transform_back(turned, index)
        deviation = view - mean
        mean += deviation / count
        squares += deviation * (view - mean)
        classes.append(
            choose_classes(view, thresholds).astype(np.min_scalar_type(num_classes))
        )
    spread = np.sqrt(squares / len(views)).max(axis=-1, keepdims=True)
    return [mean, spread], classes


def combine_variants(
    predictions: Iterable[Prediction],
) -> tuple[list[ClassMap], Image]:
    """Give the class maps (H, W) of some variants and their spread.

    Memory holds two probability maps beside that of one variant.

    Args:
        predictions: Of each variant, made when it is its turn.

    Returns:
        The class maps, and the standard deviation of the probability of the class
        where it is largest, (H, W).
    """
    class_maps = []
    mean = squares = np.zeros(1, dtype=np.float32)
    for count, prediction in enumerate(predictions, start=1):
        class_maps.append(prediction.class_map)
        deviation = prediction.probability_map - mean
        mean = np.asarray(mean + deviation / count, dtype=np.float32)
        squares = squares + deviation * (prediction.probability_map - mean)
    spread = np.sqrt(np.max(squares, axis=-1) / len(class_maps))
    return class_maps, np.asarray(spread, dtype=np.float32)
