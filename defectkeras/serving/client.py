"""Clients of TensorFlow Serving, or of `defectkeras serve`, as predict functions.

What goes wrong on the way (a server that restarts, one that is full) is tried again
with growing pauses, by gRPC and by urllib3 themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from defectkeras.core.arrays import ClassMap, PredictFn
from defectkeras.core.errors import ServingError
from defectkeras.registry.saved_model.export import (
    ENCODED_SIGNATURE,
    MICROGRAPH_SIGNATURE,
    TILE_SIGNATURE,
    UINT8_SIGNATURE,
    UINT16_SIGNATURE,
)
from defectkeras.registry.version import ModelVersion
from defectkeras.serving.grpc_client import GrpcClient
from defectkeras.serving.rest_client import RestClient
from defectkeras.serving.target import Target, Tensors


class Client(Protocol):
    """Asks one version on one server."""

    def predict(
        self, signature: str, inputs: Mapping[str, Any], outputs: Sequence[str] = ()
    ) -> Tensors:
        """Give the outputs of a signature by name; no names are all."""


def connect(target: Target) -> Client:
    """Give a client for the scheme of the URL.

    Raises:
        ServingError: When the URL is none.
    """
    address = urlsplit(target.url)
    if address.scheme in ("grpc", "grpcs") and address.netloc:
        return GrpcClient(target)
    if address.scheme in ("http", "https") and address.netloc:
        return RestClient(target)
    raise ServingError(
        "The URL of a server must begin with grpc://, grpcs://, http:// or https:// "
        f"and name a host, such as grpc://127.0.0.1:8500. Received: {target.url!r}."
    )


def remote_predict_fn(
    version: ModelVersion, url: str, *, token: str | None = None
) -> PredictFn:
    """Give a function that lets a server predict.

    Args:
        version: The server must serve the same number.
        url: Such as "grpc://127.0.0.1:8500" or "http://127.0.0.1:8501".
        token: What the server wants to see, or None.

    Returns:
        Normalized tiles (N, T, T, 1) to probabilities (N, T, T, K) float32.

    Raises:
        ServingError: When the URL is none; the function, when there is no answer.
    """
    client = connect(Target(url, version.name, version.version, token))

    def predict_tiles(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn tiles (N, T, T, 1) into probabilities (N, T, T, K)."""
        image = np.asarray(tiles, dtype=np.float32)
        (found,) = client.predict(TILE_SIGNATURE, {"image": image}).values()
        return found.astype(np.float32)

    return predict_tiles


def remote_class_map(client: Client, pixels: NDArray[Any]) -> ClassMap:
    """Let a server segment a whole micrograph; only classes come back.

    The pixels are sent in their own type, a byte or two each, by gRPC as they are and
    by REST as a PNG file.

    Args:
        client: From `connect`.
        pixels: (H, W) raw grey levels, uint8, uint16 or any that become float32.

    Returns:
        (H, W).

    Raises:
        ServingError: When there is no answer.
    """
    whole = pixels.dtype in (np.uint8, np.uint16)
    if isinstance(client, RestClient) and whole:
        png = tf.io.encode_png(pixels[:, :, np.newaxis]).numpy()
        (found,) = client.predict(ENCODED_SIGNATURE, {"image_bytes": [png]}).values()
        class_map: ClassMap = (
            tf.io.decode_png(found[0]).numpy()[:, :, 0].astype(np.int32)
        )
        return class_map
    signatures = {"uint8": UINT8_SIGNATURE, "uint16": UINT16_SIGNATURE}
    signature = signatures.get(pixels.dtype.name, MICROGRAPH_SIGNATURE)
    image = pixels[np.newaxis, :, :, np.newaxis]
    if not whole:
        image = image.astype(np.float32)
    found = client.predict(signature, {"image": image}, ["class_map"])["class_map"]
    return np.asarray(found[0], dtype=np.int32)
