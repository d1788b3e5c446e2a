"""What every client of TensorFlow Serving relies on, asked of our server and, where one
is at hand, of the real one.

The real one is started where `tensorflow_model_server` is on the PATH. Where
TF_SERVING_URL and TF_SERVING_GRPC_URL are set, that server is asked about the model
TF_SERVING_MODEL; it must have the label "production".
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import time

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from defectkeras.registry.server_config import write_server_config

BINARY = shutil.which("tensorflow_model_server")
SIGNATURES = {
    "serving_default",
    "serve_uint8",
    "serve_uint16",
    "serve_encoded",
    "tiles",
}


class Endpoint:
    """A server: URLs, and the official stubs."""

    def __init__(self, rest_url, grpc_url, model):
        self.base = f"{rest_url}/v1/models/{model}"
        self.rest_url, self.model = rest_url, model
        address = grpc_url.removeprefix("grpc://")
        options = [("grpc.max_receive_message_length", -1)]
        self.channel = grpc.insecure_channel(address, options)
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(
            self.channel
        )
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def post(self, path=":predict", **body):
        return requests.post(self.base + path, data=json.dumps(body), timeout=60)

    def predict(
        self, signature, outputs=(), label=None, version=None, name=None, **inputs
    ):
        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.name = self.model if name is None else name
        request.model_spec.signature_name = signature
        if label:
            request.model_spec.version_label = label
        if version:
            request.model_spec.version.value = version
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        return self.predictions.Predict(request, timeout=60)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def real_server(served_root, tmp_path_factory):
    if "TF_SERVING_URL" in os.environ:
        model = os.environ.get("TF_SERVING_MODEL", "tiny")
        yield os.environ["TF_SERVING_URL"], os.environ["TF_SERVING_GRPC_URL"], model
        return
    if BINARY is None:
        pytest.skip("no tensorflow_model_server on the PATH, no TF_SERVING_URL")
    root = tmp_path_factory.mktemp("real") / "saved_models"
    shutil.copytree(served_root, root)
    config = write_server_config(root, str(root))
    rest, rpc = free_port(), free_port()
    command = [
        BINARY,
        f"--port={rpc}",
        f"--rest_api_port={rest}",
        f"--model_config_file={config}",
        "--allow_version_labels_for_unavailable_models=true",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{rest}"
        for _ in range(600):
            try:
                if requests.get(f"{url}/v1/models/tiny", timeout=5).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield url, f"grpc://127.0.0.1:{rpc}", "tiny"
        process.terminate()


@pytest.fixture(scope="session", params=["defectkeras", "tensorflow_model_server"])
def endpoint(request):
    if request.param == "defectkeras":
        address = request.getfixturevalue("server")
        found = Endpoint(address.rest_url, address.grpc_url, "tiny")
    else:
        found = Endpoint(*request.getfixturevalue("real_server"))
    yield found
    found.channel.close()


@pytest.fixture
def image(pixels):
    return (pixels % 256).astype(np.uint8)[np.newaxis, :, :, np.newaxis]


def test_status_has_the_documented_form(endpoint):
    reply = requests.get(endpoint.base, timeout=60)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    versions = reply.json()["model_version_status"]
    assert versions == sorted(versions, key=lambda v: -int(v["version"]))
    assert {v["state"] for v in versions} == {"AVAILABLE"}
    assert versions[0]["status"] == {"error_code": "OK", "error_message": ""}

    one = requests.get(f"{endpoint.base}/labels/production", timeout=60).json()
    (told,) = one["model_version_status"]
    assert told in versions

    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = endpoint.model
    response = endpoint.models.GetModelStatus(request, timeout=60)
    assert [str(v.version) for v in response.model_version_status] == [
        v["version"] for v in versions
    ]


def test_metadata_has_every_signature(endpoint):
    document = requests.get(f"{endpoint.base}/metadata", timeout=60).json()
    assert document["model_spec"]["name"] == endpoint.model
    signatures = document["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) >= SIGNATURES
    image = signatures["serving_default"]["inputs"]["image"]
    assert image["dtype"] == "DT_FLOAT"
    sizes = [dim["size"] for dim in image["tensor_shape"]["dim"]]
    assert sizes == ["-1", "-1", "-1", "1"]

    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = endpoint.model
    request.metadata_field.append("signature_def")
    response = endpoint.predictions.GetModelMetadata(request, timeout=60)
    found = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(found)
    assert set(found.signature_def) == set(signatures)


def test_rows_columns_and_grpc_give_the_same(endpoint, image):
    values = image.astype(int).tolist()
    rows = endpoint.post(signature_name="serve_uint8", instances=values).json()
    columns = endpoint.post(signature_name="serve_uint8", inputs=values).json()
    named = [{"image": value} for value in values]
    objects = endpoint.post(signature_name="serve_uint8", instances=named).json()
    response = endpoint.predict("serve_uint8", image=image)
    assert response.model_spec.signature_name == "serve_uint8"
    for name in ("class_map", "probability_map"):
        expected = tf.make_ndarray(response.outputs[name])
        assert expected.shape[:3] == (1, 37, 53)
        for found in (
            [rows["predictions"][0][name]],
            [objects["predictions"][0][name]],
            columns["outputs"][name],
        ):
            found = np.asarray(found, dtype=expected.dtype)
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_files_go_in_base64(endpoint, image):
    png = tf.io.encode_png(image[0]).numpy()
    encoded = {"b64": base64.b64encode(png).decode()}
    body = {"signature_name": "serve_encoded", "instances": [encoded, encoded]}
    first, second = endpoint.post(**body).json()["predictions"]
    assert first == second
    found = tf.io.decode_png(base64.b64decode(first["b64"])).numpy()[:, :, 0]
    response = endpoint.predict("serve_uint8", ["class_map"], image=image)
    assert list(response.outputs) == ["class_map"]
    np.testing.assert_array_equal(
        found, tf.make_ndarray(response.outputs["class_map"])[0]
    )


def test_versions_and_labels_are_asked_alike(endpoint, image):
    by_label = endpoint.predict(
        "serve_uint8", ["class_map"], label="production", image=image
    )
    number = by_label.model_spec.version.value
    by_number = endpoint.predict(
        "serve_uint8", ["class_map"], version=number, image=image
    )
    assert by_number.outputs == by_label.outputs
    body = {"signature_name": "serve_uint8", "instances": image.astype(int).tolist()}
    replies = [
        endpoint.post(path, **body).json()
        for path in ("/labels/production:predict", f"/versions/{number}:PREDICT")
    ]
    assert replies[0] == replies[1]


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        (":predict", "", 400, "JSON Parse error"),
        (":predict", "{", 400, "JSON Parse error"),
        (":predict", "[1]", 400, "Is not object"),
        (":predict", "{}", 400, "Missing 'inputs' or 'instances' key"),
        (":predict", '{"inputs": 1, "instances": [1]}', 400, "expecting only one of"),
        (":predict", '{"instances": []}', 400, "No values in 'instances' array"),
        (":predict", '{"instances": 1}', 400, "'instances' to be an list/array"),
        (":predict", '{"signature_name": 1}', 400, "must be a string value."),
        (
            ":predict",
            '{"signature_name": "x", "instances": [1]}',
            400,
            'Serving signature name: "x" not found in signature def',
        ),
        (":predict", '{"instances": ["a"]}', 400, "is not of expected type: float"),
        ("/versions/99:predict", '{"instances": [1]}', 404, "Servable not found for"),
        ("/labels/no:predict", '{"instances": [1]}', 400, "version label: no"),
        ("/versions/x:predict", "", 400, "Malformed request: POST /v1/models/"),
        (":explain", "", 400, "Malformed request: POST /v1/models/"),
    ],
)
def test_errors_have_the_documented_form(endpoint, path, body, status, told):
    reply = requests.post(endpoint.base + path, data=body, timeout=60)
    assert reply.status_code == status, reply.text
    document = reply.json()
    assert list(document) == ["error"]
    assert told in document["error"]


def test_unknown_models_and_paths_are_errors(endpoint):
    for path, status, told in (
        ("/v1/models/none", 404, "Could not find any versions of model none"),
        (f"/v1/models/{endpoint.model}/versions/99", 404, "Could not find version 99"),
        ("/v1/models", 400, "Missing model name in request."),
        ("/v1/other", 400, "Malformed request: GET /v1/other"),
        ("/V1/other", 400, "Malformed request: GET /V1/other"),
    ):
        reply = requests.get(endpoint.rest_url + path, timeout=60)
        assert (reply.status_code, told in reply.json()["error"]) == (status, True)
    assert requests.get(f"{endpoint.rest_url}/v2", timeout=60).status_code == 404


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ({"name": ""}, "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ({"signature": "x"}, "FAILED_PRECONDITION", 'signature key "x" not found'),
        ({"outputs": ["x"]}, "INVALID_ARGUMENT", "output tensor alias not found"),
        (
            {"outputs": ["class_map", "class_map"]},
            "INVALID_ARGUMENT",
            "duplicate output tensor alias: class_map",
        ),
        ({"version": 99}, "NOT_FOUND", "Servable not found for request: Specific("),
        ({"label": "no"}, "INVALID_ARGUMENT", "Unrecognized servable version label"),
        (
            {"image": np.zeros((1, 8, 12, 1), np.float32)},
            "INVALID_ARGUMENT",
            "to be uint8 but float",
        ),
        ({"photo": np.zeros(1)}, "INVALID_ARGUMENT", "input size does not match"),
    ],
)
def test_grpc_errors_have_the_right_code(endpoint, image, words, code, told):
    words = {"signature": "serve_uint8", "image": image, **words}
    with pytest.raises(grpc.RpcError) as caught:
        endpoint.predict(words.pop("signature"), **words)
    assert caught.value.code().name == code
    assert told in caught.value.details()


def test_a_file_that_is_no_image_is_the_clients_error(endpoint):
    with pytest.raises(grpc.RpcError) as caught:
        endpoint.predict("serve_encoded", image_bytes=np.array([b"no"], object))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
