"""The golden: an image and what the Keras model makes of it.

It is computed at publishing by Keras and NumPy alone, and stored with the version;
whoever loads the version, by whatever engine, can see whether the same comes out.
"""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from defectkeras.core.arrays import Image, ProbabilityMap
from defectkeras.core.errors import RegistryError
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.registry.card import ModelCard
from defectkeras.registry.manifest import EXTRA_FOLDER

GOLDEN = EXTRA_FOLDER / "golden.npz"

_MAX_SHAPE = (156, 228)  # a few seconds on any machine; no multiples of a stride
_TOLERANCE = 1e-3
_MIXED_TOLERANCE = 3e-2  # bfloat16 has 8 bits, and every engine rounds elsewhere


@dataclass(frozen=True, eq=False)
class Golden:
    """An image and its probabilities.

    Attributes:
        image: (H, W) float32 raw grey levels.
        probability_map: (H, W, K) float32.
        tolerance: How far another engine may be off, in probability.
    """

    image: Image
    probability_map: ProbabilityMap
    tolerance: float


def make_golden(model: keras.Model, card: ModelCard, image: Image) -> Golden:
    """Let a Keras model segment the middle of an image.

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K).
        card: Tells the stride and the percentiles.
        image: (H, W) raw grey levels; the middle 156 x 228 px are taken.

    Returns:
        The golden, with (H, W) of at most 156 x 228.
    """
    middle = tuple(
        slice((size - min(size, most)) // 2, (size + min(size, most)) // 2)
        for size, most in zip(image.shape, _MAX_SHAPE, strict=True)
    )
    cropped = np.ascontiguousarray(image[middle], dtype=np.float32)
    is_mixed = any(layer.compute_dtype != "float32" for layer in model.layers)
    tolerance = _MIXED_TOLERANCE if is_mixed else _TOLERANCE
    with full_precision():
        probability_map = predict_with_keras(model, card, cropped)
    return Golden(cropped, probability_map, tolerance)


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Let a GPU compute float32 in full; TensorFlow else rounds it to 10 bits."""
    settings = tf.config.experimental
    before = settings.tensor_float_32_execution_enabled()
    settings.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        settings.enable_tensor_float_32_execution(before)


def predict_with_keras(
    model: keras.Model, card: ModelCard, image: Image
) -> ProbabilityMap:
    """Segment an image with a Keras model and NumPy, without any exported graph.

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K).
        card: Tells the stride and the percentiles.
        image: (H, W) raw grey levels.

    Returns:
        (H, W, max(K, 2)) float32.
    """
    height, width = image.shape
    logits = model(prepare_tiles(card, image), training=False)
    logits = keras.ops.convert_to_numpy(logits)[0, :height, :width, :]
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probability_map: ProbabilityMap = powers / powers.sum(axis=-1, keepdims=True)
    return probability_map.astype(np.float32)


def prepare_tiles(card: ModelCard, image: Image) -> NDArray[np.float32]:
    """Normalize an image and mirror it up to the stride.

    Args:
        card: Tells the stride and the percentiles.
        image: (H, W) raw grey levels.

    Returns:
        (1, H', W', 1) float32 in [0, 1], H' and W' the next multiples.
    """
    normalized = normalize_percentile(
        image, low_percent=card.low_percent, high_percent=card.high_percent
    )
    missing = [(0, -size % card.stride) for size in image.shape]
    return np.pad(normalized, missing, mode="symmetric")[np.newaxis, :, :, np.newaxis]


def write_golden(golden: Golden, folder: Path) -> None:
    """Write the golden into a version's folder."""
    np.savez_compressed(
        folder / GOLDEN,
        image=golden.image,
        probability_map=golden.probability_map,
        tolerance=np.float64(golden.tolerance),
    )


def read_golden(folder: Path) -> Golden:
    """Read the golden of a version's folder.

    Raises:
        RegistryError: When it cannot be read.
    """
    path = folder / GOLDEN
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return Golden(
                arrays["image"], arrays["probability_map"], float(arrays["tolerance"])
            )
    except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
        raise RegistryError(f"{path} cannot be read: {error}.") from error


def require_golden(
    golden: Golden, predict: Callable[[Image], ProbabilityMap], *, what: str
) -> ProbabilityMap:
    """Check that something still makes of the golden's image what Keras made of it.

    Args:
        golden: From `make_golden` or `read_golden`.
        predict: (H, W) raw grey levels to (H, W, K).
        what: How the error message calls it, such as "signature 'tiles'".

    Returns:
        What it makes of it, (H, W, K).

    Raises:
        RegistryError: When a probability is off by more than the tolerance.
    """
    expected, found = golden.probability_map, predict(golden.image)
    if found.shape != expected.shape:
        raise RegistryError(
            f"{what} must give {expected.shape} for the golden image. "
            f"Received: {found.shape}."
        )
    off = float(np.abs(found - expected).max())
    if not off <= golden.tolerance:
        raise RegistryError(
            f"{what} must give the golden probabilities within {golden.tolerance:g}, "
            f"but is off by {off:.3g}. The export or the machine is not sound."
        )
    return found
