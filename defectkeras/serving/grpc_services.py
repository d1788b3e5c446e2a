"""The gRPC services of TensorFlow Serving: PredictionService and ModelService."""

import math
from collections.abc import Callable
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from defectkeras.serving.predictor import Predictor, Wanted
from defectkeras.serving.servable import Servable, Tensors
from defectkeras.serving.served_models import ServedModels
from defectkeras.serving.status import Code, StatusError

_MOST_REPEATED = 2**20


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the other methods answer UNIMPLEMENTED.

    Args:
        predictor: Answers.
        timeout_s: Longest time for a request, whatever its own deadline.
    """

    def __init__(self, predictor: Predictor, *, timeout_s: float) -> None:
        self._predictor = predictor
        self._timeout_s = timeout_s

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802  (the proto's)
        """Answer a prediction."""
        return _told(context, lambda: self._predict(request, context.time_remaining()))

    def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Tell the signatures of a version."""
        return _told(context, lambda: get_metadata(self._predictor.models, request))

    def _refuse(self, request: Any, context: Any) -> Any:
        context.abort(
            Code.UNIMPLEMENTED, "Only Predict and GetModelMetadata are for segmentation"
        )

    Classify = Regress = MultiInference = _refuse

    def _predict(self, request: Any, remaining_s: float | None) -> Any:
        wanted = wanted_of(request)

        def read_inputs(servable: Servable, signature: str) -> Tensors:
            servable.inputs_of(signature)
            return {n: _array(n, tensor) for n, tensor in request.inputs.items()}

        servable, signature, outputs = self._predictor.predict(
            wanted,
            read_inputs,
            entrypoint="GRPC",
            timeout_s=min(self._timeout_s, remaining_s or self._timeout_s),
        )
        response = predict_pb2.PredictResponse()
        response.model_spec.name = servable.version.name
        response.model_spec.version.value = servable.version.version
        response.model_spec.signature_name = signature
        for name, value in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """The states of the versions; what is served follows the registry alone."""

    def __init__(self, models: ServedModels) -> None:
        self._models = models

    def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Tell the states of a model's versions."""
        return _told(context, lambda: get_status(self._models, request))

    def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refuse: a client must not choose which folders are loaded."""
        context.abort(
            Code.PERMISSION_DENIED,
            "The models served are those of the registry; use `defectkeras registry`.",
        )


def get_status(models: ServedModels, request: Any) -> Any:
    """Give a GetModelStatusResponse for its request.

    Raises:
        StatusError: When nothing is known of the model.
    """
    wanted = wanted_of(request)
    version = wanted.version
    if wanted.label is not None:
        version = models.find(wanted.name, label=wanted.label).version.version
    response = get_model_status_pb2.GetModelStatusResponse()
    for number, state in sorted(
        models.states(wanted.name, version).items(), reverse=True
    ):
        status = response.model_version_status.add()
        status.version = number
        status.state = status.State.Value(state.state)
        if state.error:
            status.status.error_code = Code.UNKNOWN.value[0]
            status.status.error_message = state.error
        else:
            status.status.SetInParent()  # OK is told, not left out
    return response


def get_metadata(models: ServedModels, request: Any) -> Any:
    """Give a GetModelMetadataResponse for its request.

    Raises:
        StatusError: When the version is not served, or something else than
            "signature_def" is wanted.
    """
    fields = list(request.metadata_field)
    if not fields:
        raise StatusError(
            Code.INVALID_ARGUMENT,
            "GetModelMetadataRequest must specify at least one metadata_field",
        )
    for field in fields:
        if field != "signature_def":
            raise StatusError(
                Code.INVALID_ARGUMENT, f"Metadata field {field} is not supported"
            )
    wanted = wanted_of(request)
    servable = models.find(wanted.name, version=wanted.version, label=wanted.label)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in servable.definitions.items():
        signatures.signature_def[name].CopyFrom(definition)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = servable.version.name
    response.model_spec.version.value = servable.version.version
    response.metadata["signature_def"].Pack(signatures)
    return response


def wanted_of(request: Any) -> Wanted:
    """Read the model spec of a request.

    Raises:
        StatusError: When there is none.
    """
    if not request.HasField("model_spec"):
        raise StatusError(Code.INVALID_ARGUMENT, "Missing ModelSpec")
    spec = request.model_spec
    return Wanted(
        name=spec.name,
        version=spec.version.value if spec.HasField("version") else None,
        label=spec.version_label or None,
        signature=spec.signature_name,
        outputs=tuple(getattr(request, "output_filter", ())),
    )


def _array(name: str, tensor: Any) -> Any:
    """Read a TensorProto; one that promises more than it holds is refused.

    A single value stands for a whole tensor of any size, which must stay small.
    """
    size = math.prod(dim.size for dim in tensor.tensor_shape.dim)
    if size > tensor.ByteSize() + _MOST_REPEATED:
        raise StatusError(
            Code.INVALID_ARGUMENT,
            f"Tensor {name} must hold its {size} elements",
        )
    try:
        return tf.make_ndarray(tensor)
    except (KeyError, TypeError, ValueError) as error:  # KeyError: no such type
        raise StatusError(
            Code.INVALID_ARGUMENT, f"Tensor {name} cannot be read: {error}"
        ) from error


def _told(context: grpc.ServicerContext, answer: Callable[[], Any]) -> Any:
    """Answer; an error becomes the status of the call."""
    try:
        return answer()
    except StatusError as error:
        context.abort(error.code, str(error))
