"""A Keras model as a SavedModel with named signatures, as a server reads it.

The names here are a contract with every client: they do not change.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from defectkeras.core.errors import RegistryError
from defectkeras.registry.saved_model.folding import fold_batch_norms
from defectkeras.registry.saved_model.graph import (
    class_probabilities,
    classes_of,
    normalize_images,
    predict_padded,
)

Function: TypeAlias = Callable[..., Any]

MICROGRAPH_SIGNATURE = "serving_default"
"""Raw whole micrographs `image` (B, H, W, 1) of any size to `class_map` (B, H, W)
uint8 and `probability_map` (B, H, W, K) float32."""

UINT8_SIGNATURE = "serve_uint8"
"""The same for `image` of 8-bit grey levels, a quarter of the bytes to send."""

UINT16_SIGNATURE = "serve_uint16"
"""The same for `image` of 16-bit grey levels; not over REST, whose JSON has none."""

ENCODED_SIGNATURE = "serve_encoded"
"""Whole micrographs as PNG or JPEG files, `image_bytes` (B,), each of its own size, to
`class_map_png_bytes` (B,), PNG files of class indices."""

TILE_SIGNATURE = "tiles"
"""Normalized tiles `image` (N, T, T, 1), T a multiple of the stride, to
`probability_map` (N, T, T, K) float32."""


def export_saved_model(
    model: keras.Model,
    folder: Path,
    *,
    stride: int,
    low_percent: float,
    high_percent: float,
    thresholds: Sequence[float] | None = None,
) -> None:
    """Write a model as a SavedModel with the signatures named above.

    Normalizations are taken into the convolutions before them, every weight is
    stored once, and no operation needs XLA.

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K), H and W multiples of the stride.
        folder: Where the SavedModel goes.
        stride: In px.
        low_percent: Percentile of a micrograph's grey levels that becomes 0.
        high_percent: Percentile that becomes 1.
        thresholds: One for each defect class, see `apply_thresholds`; None takes the
            most probable class.

    Raises:
        RegistryError: When the files cannot be written.
    """
    predict_tiles, predict_micrographs = _predictors(
        fold_batch_norms(model), stride, (low_percent, high_percent), thresholds
    )
    # `track` (and `model.export`) would store every weight a second time.
    archive = keras.export.ExportArchive()
    for name, (serve, spec) in _endpoints(predict_tiles, predict_micrographs).items():
        archive.add_endpoint(name, serve, input_signature=[spec])
    try:
        archive.write_out(folder, verbose=False)
    except tf.errors.OpError as error:
        raise RegistryError(
            f"The model must be written to {folder}, but: {error.message}"
        ) from error


def _predictors(
    model: keras.Model,
    stride: int,
    percents: tuple[float, float],
    thresholds: Sequence[float] | None,
) -> tuple[Function, Function]:
    """Give tiles to probabilities, and micrographs to classes and probabilities.

    Each is one function in the graph, however many signatures call it.
    """

    def predict_tiles(image: Any) -> Any:
        return class_probabilities(model(image, training=False))

    shared_tiles = tf.function(predict_tiles, input_signature=[_images(tf.float32)])

    def predict_micrographs(image: Any) -> Any:
        normalized = normalize_images(
            image, low_percent=percents[0], high_percent=percents[1]
        )
        probability_map = predict_padded(shared_tiles, normalized, stride=stride)
        return classes_of(probability_map, thresholds), probability_map

    shared = tf.function(predict_micrographs, input_signature=[_images(tf.float32)])
    return shared_tiles, shared


def _endpoints(
    predict_tiles: Function, predict_micrographs: Function
) -> dict[str, tuple[Function, Any]]:
    """Give each signature's function and what it takes."""

    def serve_tiles(image: Any) -> dict[str, Any]:
        return {"probability_map": predict_tiles(image)}

    def serve_micrographs(image: Any) -> dict[str, Any]:
        class_map, probability_map = predict_micrographs(tf.cast(image, tf.float32))
        return {"class_map": class_map, "probability_map": probability_map}

    def serve_file(contents: Any) -> Any:
        # In 16 bits nothing is lost, and the percentiles undo the greater range.
        image = tf.io.decode_image(
            contents, channels=1, dtype=tf.uint16, expand_animations=False
        )
        class_map, _ = predict_micrographs(tf.cast(image, tf.float32)[tf.newaxis])
        return tf.io.encode_png(class_map[0, :, :, tf.newaxis])

    def serve_encoded(image_bytes: Any) -> dict[str, Any]:
        png = tf.map_fn(serve_file, image_bytes, fn_output_signature=tf.string)
        return {"class_map_png_bytes": png}

    files = tf.TensorSpec((None,), tf.string, name="image_bytes")
    return {
        MICROGRAPH_SIGNATURE: (serve_micrographs, _images(tf.float32)),
        UINT8_SIGNATURE: (serve_micrographs, _images(tf.uint8)),
        UINT16_SIGNATURE: (serve_micrographs, _images(tf.uint16)),
        ENCODED_SIGNATURE: (serve_encoded, files),
        TILE_SIGNATURE: (serve_tiles, _images(tf.float32)),
    }


def _images(dtype: Any) -> Any:
    return tf.TensorSpec((None, None, None, 1), dtype, name="image")
