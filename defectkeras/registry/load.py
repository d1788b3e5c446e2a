"""A published version as something that predicts.

A SavedModel is a program, and a `.keras` file can name one, so a version's files are
compared with its manifest before they are loaded.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

import defectkeras.models.layers  # noqa: F401  (registers our layers)
from defectkeras.core.arrays import Image, PredictFn, ProbabilityMap
from defectkeras.core.errors import RegistryError
from defectkeras.registry.card import ModelCard, read_card
from defectkeras.registry.golden import (
    full_precision,
    predict_with_keras,
    prepare_tiles,
    read_golden,
    require_golden,
)
from defectkeras.registry.manifest import require_undamaged
from defectkeras.registry.rounding import in_float64, measure_rounding
from defectkeras.registry.safe_config import KERAS_FILE
from defectkeras.registry.saved_model.export import MICROGRAPH_SIGNATURE, TILE_SIGNATURE
from defectkeras.registry.saved_model.graph import class_probabilities, classes_of
from defectkeras.registry.version import ModelVersion


def load_predict_fn(version: ModelVersion) -> PredictFn:
    """Load a version for prediction; its files are checked first.

    Args:
        version: From `ModelRegistry.resolve`.

    Returns:
        Normalized tiles (N, T, T, 1) float32, T a multiple of the card's stride, to
        probabilities (N, T, T, K) float32; may be called from several threads.

    Raises:
        RegistryError: When a file is damaged or cannot be loaded.
    """
    require_undamaged(version.path)
    return _tile_signature(_load_saved_model(version.path))


def load_signatures(
    version: ModelVersion,
) -> dict[str, Callable[..., dict[str, Any]]]:
    """Load a version to be served: its files and its golden are checked first.

    Args:
        version: From `ModelRegistry.resolve`.

    Returns:
        Name of each signature to its function of named tensors; may be called from
        several threads.

    Raises:
        RegistryError: When a file is damaged or the golden comes out otherwise.
    """
    require_undamaged(version.path)
    loaded, golden = _load_saved_model(version.path), read_golden(version.path)
    predict = partial(_by_micrographs, loaded, version.card)
    what = f"{version.path}: signature {MICROGRAPH_SIGNATURE!r}"
    with full_precision():
        require_golden(golden, predict, what=what)

    def calling(name: str) -> Callable[..., dict[str, Any]]:
        # By way of `loaded`, because a signature alone does not keep its weights.
        return lambda **tensors: loaded.signatures[name](**tensors)

    return {name: calling(name) for name in loaded.signatures}


def load_model(version: ModelVersion) -> keras.Model:
    """Load the Keras model of a version, to look at it or to train it further.

    Its files are checked first, and Keras loads in its safe mode.

    Args:
        version: From `ModelRegistry.resolve`.

    Returns:
        (B, H, W, 1) to logits (B, H, W, K), not compiled.

    Raises:
        RegistryError: When a file is damaged or cannot be loaded.
    """
    require_undamaged(version.path)
    return _load_keras_file(version.path)


def keras_predict_fn(model: keras.Model) -> PredictFn:
    """Let a Keras model predict itself, without any export.

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K), such as `load_model` gives.

    Returns:
        Normalized tiles (N, T, T, 1) to probabilities (N, T, T, max(K, 2)) float32.
    """
    tiles_of_any_size = tf.TensorSpec((None, None, None, 1), tf.float32)
    compute = tf.function(
        lambda tiles: class_probabilities(model(tiles, training=False)),
        input_signature=[tiles_of_any_size],
    )
    return lambda tiles: compute(tiles).numpy()


def check_predictions(
    folder: Path, card: ModelCard | None = None
) -> dict[str, dict[str, float]]:
    """Compute the golden of a version's folder again, in every way that it can be.

    Both signatures and the `.keras` file must agree with what is stored, and are
    measured by the Keras model in float64. The files are not compared with the
    manifest here; do that first.

    Args:
        folder: A version's folder.
        card: Its card; None reads that of the folder.

    Returns:
        Each way, such as "tiles", to how far it is off, see `measure_rounding`.

    Raises:
        RegistryError: When something cannot be loaded or gives other results.
    """
    card, golden = card or read_card(folder), read_golden(folder)
    loaded, model = _load_saved_model(folder), _load_keras_file(folder)
    ways: dict[str, Callable[[Image], ProbabilityMap]] = {
        MICROGRAPH_SIGNATURE: partial(_by_micrographs, loaded, card),
        TILE_SIGNATURE: partial(_by_tiles, loaded, card),
        KERAS_FILE.name: partial(predict_with_keras, model, card),
    }
    with full_precision():
        found = {
            way: require_golden(golden, predict, what=f"{folder}: {way}")
            for way, predict in ways.items()
        }
    exact = predict_with_keras(in_float64(model), card, golden.image)
    return measure_rounding(exact, found)


def _by_micrographs(loaded: Any, card: ModelCard, image: Image) -> ProbabilityMap:
    signature = loaded.signatures[MICROGRAPH_SIGNATURE]
    outputs = signature(image=tf.constant(image[np.newaxis, :, :, np.newaxis]))
    probability_map = outputs["probability_map"]
    class_map = classes_of(probability_map, card.threshold_values())
    if np.any(outputs["class_map"] != class_map):
        raise RegistryError("The class map must follow the card's thresholds.")
    found: ProbabilityMap = probability_map.numpy()[0]
    return found


def _by_tiles(loaded: Any, card: ModelCard, image: Image) -> ProbabilityMap:
    height, width = image.shape
    probabilities = _tile_signature(loaded)(prepare_tiles(card, image))
    return probabilities[0, :height, :width, :]


def _tile_signature(loaded: Any) -> PredictFn:
    def predict_tiles(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn tiles (N, T, T, 1) into probabilities (N, T, T, K)."""
        image = tf.constant(np.asarray(tiles, dtype=np.float32))
        # By way of `loaded`, because a signature alone does not keep its weights.
        outputs = loaded.signatures[TILE_SIGNATURE](image=image)
        probability_map: NDArray[np.float32] = outputs["probability_map"].numpy()
        return probability_map

    return predict_tiles


def _load_saved_model(folder: Path) -> Any:
    # What is measured must not depend on the device: GPUs round float32 to TF32
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise RegistryError(f"{folder} cannot be loaded: {error}") from error
    for name in (MICROGRAPH_SIGNATURE, TILE_SIGNATURE):
        if name not in loaded.signatures:
            raise RegistryError(f"{folder} must have the signature {name!r}.")
    return loaded


def _load_keras_file(folder: Path) -> keras.Model:
    path = folder / KERAS_FILE
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RegistryError(f"{path} cannot be loaded: {error}") from error
