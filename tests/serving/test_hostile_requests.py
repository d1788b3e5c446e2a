"""Whatever is sent, the answer is a status that blames the client, and it goes on."""

import json

import grpc
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import predict_pb2

SERVICE = "tensorflow.serving"
PREDICT = f"/{SERVICE}.PredictionService/Predict"
CALLS = (
    PREDICT,
    f"/{SERVICE}.PredictionService/GetModelMetadata",
    f"/{SERVICE}.ModelService/GetModelStatus",
    f"/{SERVICE}.ModelService/HandleReloadConfigRequest",
)
SIGNATURES = ("tiles", "serving_default", "serve_uint8", "serve_uint16")
NAMES = st.sampled_from(("", *SIGNATURES, "serve_encoded")) | st.text(max_size=9)
NUMBERS = st.integers() | st.floats() | st.booleans() | st.none()
VALUES = st.recursive(
    NUMBERS | st.text(max_size=9) | st.fixed_dictionaries({"b64": st.text(max_size=9)}),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(("image", "image_bytes", "b64", "x")), inner, max_size=2
        )
    ),
    max_leaves=20,
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": NAMES | VALUES,
        "instances": VALUES,
        "inputs": VALUES,
        "more": VALUES,
    },
)
BODIES = st.binary(max_size=200) | DOCUMENTS.map(lambda d: json.dumps(d).encode())


@pytest.fixture(scope="module")
def session():
    with requests.Session() as made:
        yield made


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(server.grpc_url.removeprefix("grpc://")) as made:
        yield made


def code_of(call, body):
    try:
        call(body, timeout=60)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


@given(body=BODIES)
@settings(max_examples=100)
def test_any_body_is_answered_with_a_status_of_the_clients(server, session, body):
    url = f"{server.rest_url}/v1/models/tiny:predict"
    reply = session.post(url, data=body, timeout=60)
    told = reply.json()
    assert reply.status_code in (200, 400, 501), told  # 501: uint16 is not in its JSON
    assert list(told) == (["error"] if reply.status_code != 200 else list(told)[:1])


@given(call=st.sampled_from(CALLS), body=st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_a_status_over_grpc(channel, call, body):
    """INTERNAL is gRPC's own word for what is no message at all."""
    code = code_of(channel.unary_unary(call), body)
    assert code in {"INTERNAL", "INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED"}


@given(
    signature=NAMES,
    name=st.sampled_from(("image", "image_bytes", "x")),
    dtype=st.integers(0, 30),
    dims=st.lists(st.integers(-(2**62), 2**62) | st.integers(-1, 9), max_size=5),
    content=st.binary(max_size=64),
    numbers=st.lists(st.floats(width=32), max_size=4),
)
@settings(max_examples=100)
def test_any_tensor_is_a_status_over_grpc(
    channel, signature, name, dtype, dims, content, numbers
):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "tiny"
    request.model_spec.signature_name = signature
    tensor = request.inputs[name]
    tensor.dtype = dtype
    for size in dims:
        tensor.tensor_shape.dim.add().size = size
    tensor.tensor_content = content
    tensor.float_val.extend(numbers)
    code = code_of(channel.unary_unary(PREDICT), request.SerializeToString())
    assert code in {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}
