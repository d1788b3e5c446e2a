"""Validation on whole micrographs, by our own confusion counts."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, Image
from defectkeras.core.labels import LabelScheme
from defectkeras.metrics import PixelScores, confusion_counts, score_counts
from defectkeras.pipelines.store import ImageStore
from defectkeras.training.details import Details, Where

TILE_PX = 1024  # a multiple of every stride; larger micrographs go in such tiles
HALO_PX = 128  # beyond a tile, so that its border is predicted like its middle

Forward: TypeAlias = Callable[[Any], tuple[Any, Any]]
OnTile: TypeAlias = Callable[[Where, NDArray[Any]], None]


@dataclass(frozen=True, eq=False)
class Validation:
    """What a validation found.

    Attributes:
        counts: (K, K) confusion counts over all micrographs.
        scores: Of these counts.
        details: For the pictures of the log, or None.
    """

    counts: NDArray[np.int64]
    scores: PixelScores
    details: Details | None = None


def compile_forward(model: keras.Model) -> Forward:
    """Compile a model, once for all sizes.

    Args:
        model: (1, H, W, 1) to logits (1, H, W, K), of any H and W.

    Returns:
        A function from images (1, H, W, 1) to class maps (1, H, W) and
        probabilities (1, H, W, K), two for a single map of logits.
    """

    def forward(images: Any) -> tuple[Any, Any]:
        logits = tf.cast(model(images, training=False), tf.float32)
        if logits.shape[-1] == 1:
            defect = tf.sigmoid(logits)
            probabilities = tf.concat([1.0 - defect, defect], axis=-1)
            return tf.cast(logits[..., 0] > 0, tf.int32), probabilities
        class_map = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return class_map, tf.nn.softmax(logits)

    any_size = tf.TensorSpec((1, None, None, 1), tf.float32)
    return tf.function(forward, input_signature=[any_size])  # type: ignore[no-any-return]


def predict_class_map(
    forward: Forward,
    image: Image,
    *,
    stride: int,
    tile_px: int = TILE_PX,
    halo_px: int = HALO_PX,
    on_tile: OnTile | None = None,
) -> ClassMap:
    """Predict a whole micrograph, in tiles where it is large.

    Args:
        forward: Of `compile_forward`.
        image: (H, W) in [0, 1].
        stride: Of the model; heights and widths are padded to it by mirroring.
        tile_px: Side of a tile, a multiple of the stride.
        halo_px: How far a tile looks beyond itself, a multiple of the stride.
        on_tile: Called with the place of each tile and its probabilities
            (h, w, K).

    Returns:
        (H, W) class indices.
    """
    height, width = image.shape
    class_map = np.empty(image.shape, np.int32)
    for top in range(0, height, tile_px):
        for left in range(0, width, tile_px):
            first_row, first_column = max(top - halo_px, 0), max(left - halo_px, 0)
            window = image[
                first_row : top + tile_px + halo_px,
                first_column : left + tile_px + halo_px,
            ]
            padding = [(0, -size % stride) for size in window.shape]
            padded = np.pad(window, padding, mode="symmetric")
            tile, probabilities = forward(tf.constant(padded[None, ..., None]))
            where = slice(top, top + tile_px), slice(left, left + tile_px)
            height_px, width_px = class_map[where].shape
            rows, columns = top - first_row, left - first_column
            own = slice(rows, rows + height_px), slice(columns, columns + width_px)
            class_map[where] = tile[0].numpy()[own]
            if on_tile:
                on_tile(where, probabilities[0].numpy()[own])
    return class_map


def validate(
    forward: Forward,
    store: ImageStore,
    scheme: LabelScheme,
    *,
    stride: int,
    shown: Sequence[int] | None = None,
) -> Validation:
    """Predict all micrographs and count agreement with their annotations.

    Args:
        forward: Of `compile_forward`.
        store: The micrographs and their class maps.
        scheme: The K classes.
        stride: Of the model.
        shown: Indices of the micrographs that the details show; None gathers no
            details, which is quicker.
    """
    counts = np.zeros((scheme.num_classes, scheme.num_classes), np.int64)
    details = None if shown is None else Details(scheme, shown)
    for index in range(len(store)):
        image, truth = store.example(index)
        on_tile = functools.partial(details.add_tile, truth) if details else None
        predicted = predict_class_map(forward, image, stride=stride, on_tile=on_tile)
        counts += confusion_counts(truth, predicted, num_classes=scheme.num_classes)
        if details:
            details.add_micrograph(index, store.names[index], image, truth, predicted)
    return Validation(counts, score_counts(counts), details)
