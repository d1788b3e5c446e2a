"""The versions in the loader that TensorFlow Serving calls, in a session and here."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from defectkeras.registry.saved_model.warmup import WARMUP
from defectkeras.registry.store import ModelRegistry
from defectkeras.serving.servable import load_servable

COMPILER = shutil.which("g++")
SOURCE = Path(__file__).with_name("run_signature.cc")


@pytest.fixture(scope="module")
def version(served_root):
    return ModelRegistry(served_root).resolve("tiny@3")


@pytest.fixture(scope="module")
def requests(version):
    """Name of each signature to its warm-up request."""
    records = tf.data.TFRecordDataset(str(version.path / WARMUP)).as_numpy_iterator()
    logs = [PredictionLog.FromString(record) for record in records]
    found = [log.predict_log.request for log in logs]
    return {request.model_spec.signature_name: request for request in found}


@pytest.fixture(scope="module")
def expected(version, requests):
    servable = load_servable(version)
    return {
        name: servable.run(
            name, {n: tf.make_ndarray(t) for n, t in request.inputs.items()}
        )
        for name, request in requests.items()
    }


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The program, compiled once."""
    if COMPILER is None:
        pytest.skip("there is no C++ compiler")
    folder = Path(importlib.util.find_spec("tensorflow").origin).parent
    target = tmp_path_factory.mktemp("loader") / "run_signature"
    command = [
        *(COMPILER, "-std=c++17", "-O0", "-w", f"-I{folder}/include", str(SOURCE)),
        *("-o", str(target), f"-L{folder}", f"-Wl,-rpath,{folder}"),
        *("-Wl,--no-as-needed", "-l:libtensorflow_cc.so.2"),
        *("-l:libtensorflow_framework.so.2", "-Wl,--allow-shlib-undefined"),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        pytest.skip(f"TensorFlow's headers do not compile here: {built.stderr[-300:]}")
    return target


def same(found, expected):
    if expected.dtype == object:
        assert found.tolist() == expected.tolist()
    elif expected.dtype == np.uint8:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_every_signature_runs_in_a_session(version, requests, expected):
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(version.path))
        for name, request in requests.items():
            definition = loaded.signature_def[name]
            feed = {
                definition.inputs[n].name: tf.make_ndarray(tensor)
                for n, tensor in request.inputs.items()
            }
            fetch = {n: info.name for n, info in definition.outputs.items()}
            for output, value in session.run(fetch, feed).items():
                same(value, expected[name][output])


@pytest.mark.slow
def test_every_signature_runs_in_the_servers_loader(
    version, requests, expected, program
):
    assert len(requests) == 5
    for name, request in requests.items():
        ((input_name, tensor),) = request.inputs.items()
        for output, value in expected[name].items():
            ran = subprocess.run(
                [program, version.path, name, input_name, output],
                input=tensor.SerializeToString(),
                capture_output=True,
                check=False,
            )
            assert ran.returncode == 0, ran.stderr.decode()[-2000:]
            found = tf.make_ndarray(TensorProto.FromString(ran.stdout))
            same(found, value)
