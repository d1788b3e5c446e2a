"""A client that speaks gRPC, by the official stubs of TensorFlow Serving."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from defectkeras.serving.target import Target, Tensors, no_answer, no_connection

_RETRIES = {
    "maxAttempts": 5,
    "initialBackoff": "0.2s",
    "maxBackoff": "5s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
_OPTIONS = [
    ("grpc.max_receive_message_length", -1),  # 4 MiB else, less than one reply
    ("grpc.max_send_message_length", -1),
    ("grpc.max_reconnect_backoff_ms", 2000),  # a server that is back is soon found
    ("grpc.per_rpc_retry_buffer_size", 2**28),  # larger requests are not repeated
    (
        "grpc.service_config",
        json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": _RETRIES}]}),
    ),
]


class GrpcClient:
    """Speaks gRPC, by the official stubs.

    Args:
        target: The version.
    """

    def __init__(self, target: Target) -> None:
        address = urlsplit(target.url)
        if address.scheme == "grpcs":
            credentials = grpc.ssl_channel_credentials()
            channel = grpc.secure_channel(address.netloc, credentials, _OPTIONS)
        else:
            channel = grpc.insecure_channel(address.netloc, _OPTIONS)
        self._target = target
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self._metadata = (
            [("authorization", f"Bearer {target.token}")] if target.token else []
        )

    def predict(
        self, signature: str, inputs: Mapping[str, Any], outputs: Sequence[str] = ()
    ) -> Tensors:
        """Give the outputs of a signature by name.

        Args:
            signature: Name of the signature.
            inputs: By name; text and files as `bytes`.
            outputs: Names of those that are sent back; none are all.

        Raises:
            ServingError: When there is no answer.
        """
        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.name = self._target.name
        request.model_spec.version.value = self._target.version
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        try:
            response = self._stub.Predict(
                request, timeout=self._target.timeout_s, metadata=self._metadata
            )
        except grpc.RpcError as error:
            if str(error.details()).startswith("failed to connect"):
                raise no_connection(self._target) from error
            raise no_answer(
                self._target, f"{error.code().name}: {error.details()}"
            ) from error
        return {name: tf.make_ndarray(t) for name, t in response.outputs.items()}
