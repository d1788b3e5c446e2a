"""A Keras model as a SavedModel with named signatures, as a server reads it.

The names here are a contract with every client: they do not change.
"""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from defectkeras.core.errors import RegistryError
from defectkeras.registry.graph import (
    class_probabilities,
    normalize_images,
    predict_padded,
)

MICROGRAPH_SIGNATURE = "serving_default"
"""Raw whole micrographs `image` (B, H, W, 1) of any size to `class_map` (B, H, W)
uint8 and `probability_map` (B, H, W, K) float32."""

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
) -> None:
    """Write a model as a SavedModel with the signatures named above.

    Every weight is stored once, and no operation needs XLA.

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K), H and W multiples of the stride.
        folder: Where the SavedModel goes.
        stride: In px.
        low_percent: Percentile of a micrograph's grey levels that becomes 0.
        high_percent: Percentile that becomes 1.

    Raises:
        RegistryError: When the files cannot be written.
    """

    def predict_tiles(image: Any) -> Any:
        return class_probabilities(model(image, training=False))

    def serve_tiles(image: Any) -> dict[str, Any]:
        return {"probability_map": predict_tiles(image)}

    def serve_micrographs(image: Any) -> dict[str, Any]:
        normalized = normalize_images(
            image, low_percent=low_percent, high_percent=high_percent
        )
        probability_map = predict_padded(predict_tiles, normalized, stride=stride)
        class_map = tf.cast(tf.argmax(probability_map, axis=-1), tf.uint8)
        return {"class_map": class_map, "probability_map": probability_map}

    # `track` (and `model.export`) would store every weight a second time.
    archive = keras.export.ExportArchive()
    image = [tf.TensorSpec((None, None, None, 1), tf.float32, name="image")]
    archive.add_endpoint(MICROGRAPH_SIGNATURE, serve_micrographs, input_signature=image)
    archive.add_endpoint(TILE_SIGNATURE, serve_tiles, input_signature=image)
    try:
        archive.write_out(folder, verbose=False)
    except tf.errors.OpError as error:
        raise RegistryError(
            f"The model must be written to {folder}, but: {error.message}"
        ) from error
