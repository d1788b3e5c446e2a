"""Requests that a server answers to itself before it calls a version available.

TensorFlow Serving replays the file assets.extra/tf_serving_warmup_requests when it
loads a version; a request that fails is a version that is not served. So the first
client does not wait for the graph to be optimized, and a broken version is seen.

The file holds TFRecords of `PredictionLog`. Three of its fields are needed, and their
numbers never change, so they are written here without a package for it.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

from defectkeras.core.arrays import Image
from defectkeras.registry.saved_model.export import (
    ENCODED_SIGNATURE,
    MICROGRAPH_SIGNATURE,
    TILE_SIGNATURE,
    UINT8_SIGNATURE,
    UINT16_SIGNATURE,
)

WARMUP = Path("assets.extra", "tf_serving_warmup_requests")
LARGEST_PX = 96  # of a side: enough to run every operation, and little to store


def write_warmup(folder: Path, name: str, image: Image, *, stride: int) -> None:
    """Write one request for each signature.

    Args:
        folder: A version's folder.
        name: Name of the model.
        image: (H, W) raw grey levels, best a part of a real micrograph; the upper
            left corner of it is sent.
        stride: Of the model, in px.
    """
    image = image[:LARGEST_PX, :LARGEST_PX]
    batch = image[np.newaxis, :, :, np.newaxis]
    low, high = float(image.min()), float(image.max())
    unit = (batch - low) / (high - low or 1)
    height, width = (size // stride * stride or stride for size in image.shape)
    tile = np.zeros((1, height, width, 1), np.float32)
    tile[:, : image.shape[0], : image.shape[1]] = unit[:, :height, :width]
    png = tf.io.encode_png(np.rint(65535 * unit[0]).astype(np.uint16)).numpy()
    inputs = {
        MICROGRAPH_SIGNATURE: ("image", batch.astype(np.float32)),
        UINT8_SIGNATURE: ("image", np.rint(255 * unit).astype(np.uint8)),
        UINT16_SIGNATURE: ("image", np.rint(65535 * unit).astype(np.uint16)),
        ENCODED_SIGNATURE: ("image_bytes", np.array([png], dtype=object)),
        TILE_SIGNATURE: ("image", tile),
    }
    (folder / WARMUP).parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / WARMUP)) as writer:
        for signature, (input_name, values) in inputs.items():
            tensor = tf.make_tensor_proto(values).SerializeToString()
            writer.write(_prediction_log(name, signature, input_name, tensor))


def _prediction_log(name: str, signature: str, input_name: str, tensor: bytes) -> bytes:
    """PredictionLog.predict_log.request with model_spec and one of the inputs."""
    model_spec = _field(1, name.encode()) + _field(3, signature.encode())
    named_tensor = _field(1, input_name.encode()) + _field(2, tensor)
    request = _field(1, model_spec) + _field(2, named_tensor)
    return _field(6, _field(1, request))


def _field(number: int, content: bytes) -> bytes:
    """Give a field of the wire format that has a length: key, length, content."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    groups = []
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])
