"""What is ours alone; what TensorFlow Serving answers is in test_conformance.py."""

import grpc
import pytest
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(server.grpc_url.removeprefix("grpc://")) as made:
        yield made


def refused(call, request):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=60)
    return caught.value.code().name


def test_clients_cannot_choose_what_is_loaded(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = model_management_pb2.ReloadConfigRequest()
    config = request.config.model_config_list.config.add()
    config.name, config.base_path = "passwords", "/etc"
    assert refused(stub.HandleReloadConfigRequest, request) == "PERMISSION_DENIED"


def test_what_is_not_for_segmentation_is_unimplemented(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = classification_pb2.ClassificationRequest()
    assert refused(stub.Classify, request) == "UNIMPLEMENTED"


def test_bad_requests_are_the_clients_errors(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    assert refused(stub.Predict, predict_pb2.PredictRequest()) == "INVALID_ARGUMENT"
    status = get_model_status_pb2.GetModelStatusRequest()
    assert refused(models.GetModelStatus, status) == "INVALID_ARGUMENT"
    metadata = get_model_metadata_pb2.GetModelMetadataRequest()
    metadata.model_spec.name = "tiny"
    assert refused(stub.GetModelMetadata, metadata) == "INVALID_ARGUMENT"
    metadata.metadata_field.append("weights")
    assert refused(stub.GetModelMetadata, metadata) == "INVALID_ARGUMENT"


def test_a_tensor_that_lies_about_its_size_is_refused(channel):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "tiny"
    tensor = request.inputs["image"]
    tensor.dtype = 1
    for size in (1, 100_000, 100_000, 1):
        tensor.tensor_shape.dim.add().size = size
    tensor.tensor_content = b"\0" * 16
    assert refused(stub.Predict, request) == "INVALID_ARGUMENT"
    tensor.ClearField("tensor_content")
    tensor.float_val.append(1.0)  # would be repeated ten thousand million times
    assert refused(stub.Predict, request) == "INVALID_ARGUMENT"
