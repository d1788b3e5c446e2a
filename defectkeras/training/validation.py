"""Validation on whole micrographs, by our own confusion counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, Image
from defectkeras.metrics import PixelScores, confusion_counts, score_counts
from defectkeras.pipelines.store import ImageStore

TILE_PX = 1024  # a multiple of every stride; larger micrographs go in such tiles
HALO_PX = 128  # beyond a tile, so that its border is predicted like its middle

Forward: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Validation:
    """What a validation found.

    Attributes:
        counts: (K, K) confusion counts over all micrographs.
        scores: Of these counts.
        panel_class_map: (H, W), the prediction for the panel's micrograph.
    """

    counts: NDArray[np.int64]
    scores: PixelScores
    panel_class_map: ClassMap


def compile_forward(model: keras.Model) -> Forward:
    """Compile a model, once for all sizes, to a function that gives class maps.

    Args:
        model: (1, H, W, 1) to logits (1, H, W, K), of any H and W.

    Returns:
        A function from images (1, H, W, 1) to class maps (1, H, W).
    """

    def forward(images: Any) -> Any:
        logits = model(images, training=False)
        if logits.shape[-1] == 1:
            return tf.cast(logits[..., 0] > 0, tf.int32)
        return tf.argmax(logits, axis=-1, output_type=tf.int32)

    any_size = tf.TensorSpec((1, None, None, 1), tf.float32)
    return tf.function(forward, input_signature=[any_size])  # type: ignore[no-any-return]


def predict_class_map(
    forward: Forward,
    image: Image,
    *,
    stride: int,
    tile_px: int = TILE_PX,
    halo_px: int = HALO_PX,
) -> ClassMap:
    """Predict a whole micrograph, in tiles where it is large.

    Args:
        forward: Of `compile_forward`.
        image: (H, W) in [0, 1].
        stride: Of the model; heights and widths are padded to it by mirroring.
        tile_px: Side of a tile, a multiple of the stride.
        halo_px: How far a tile looks beyond itself, a multiple of the stride.

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
            tile = forward(tf.constant(padded[None, ..., None]))[0].numpy()
            rows, columns = top - first_row, left - first_column
            target = class_map[top : top + tile_px, left : left + tile_px]
            target[...] = tile[
                rows : rows + target.shape[0], columns : columns + target.shape[1]
            ]
    return class_map


def validate(
    forward: Forward,
    store: ImageStore,
    *,
    num_classes: int,
    stride: int,
    panel_example: int = 0,
) -> Validation:
    """Predict all micrographs and count agreement with their annotations.

    Args:
        forward: Of `compile_forward`.
        store: The micrographs and their class maps.
        num_classes: K, the matrix among them.
        stride: Of the model.
        panel_example: Index of the micrograph whose prediction is kept.
    """
    counts = np.zeros((num_classes, num_classes), np.int64)
    panel_class_map = np.zeros((0, 0), np.int32)
    for index in range(len(store)):
        image, class_map = store.example(index)
        predicted = predict_class_map(forward, image, stride=stride)
        counts += confusion_counts(class_map, predicted, num_classes=num_classes)
        if index == panel_example:
            panel_class_map = predicted
    return Validation(counts, score_counts(counts), panel_class_map)
