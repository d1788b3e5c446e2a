"""Files of Keras 2. Those that Keras 2 itself wrote are read in tests/addons."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.registry.legacy.files import read_keras2_model
from defectkeras.registry.legacy.network import build_network
from defectkeras.registry.legacy.weights import set_weights

IMAGES = np.random.default_rng(1).random((2, 16, 24, 1), dtype=np.float32)


@pytest.fixture
def expected(segnet_description, segnet_weights):
    model = build_network(segnet_description, scale=1)
    set_weights(model, segnet_weights)
    return model(IMAGES)


def test_h5(tmp_path, write_model, segnet_description, segnet_weights, expected):
    path = write_model(tmp_path / "model.h5", segnet_description, segnet_weights)
    found = read_keras2_model(path, scale=1)(IMAGES)
    np.testing.assert_array_equal(found, expected)


def write_keras(path, description, groups, version="2.15.0"):
    """Write the layout of Keras 2.15: groups by class, weights by number."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, arrays in groups.items():
            for number, array in enumerate(arrays.values()):
                file[f"layers/{name}/vars/{number}"] = array
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", json.dumps(description))
        archive.writestr("model.weights.h5", content.getvalue())
    return path


def test_keras(tmp_path, segnet_description, segnet_weights, expected):
    names = {"conv": "conv2d", "norm": "instance_normalization", "out": "conv2d_1"}
    groups = {names[name]: arrays for name, arrays in segnet_weights.items()}
    for layer in segnet_description["config"]["layers"]:
        registered = layer["class_name"]
        layer["registered_name"] = registered if ">" in registered else None
        layer["class_name"] = registered.removeprefix("Addons>")
    path = write_keras(tmp_path / "model.keras", segnet_description, groups)
    found = read_keras2_model(path, scale=1)(IMAGES)
    np.testing.assert_array_equal(found, expected)


def test_other_files_are_told(tmp_path, write_model, segnet_description):
    path = tmp_path / "model.h5"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match="must be a model saved by Keras 2"):
        read_keras2_model(path, scale=1)
    with h5py.File(path, "w") as file:
        file["a"] = 1
    with pytest.raises(ModelError, match="KeyError"):
        read_keras2_model(path, scale=1)
    write_model(path, segnet_description, {})
    with pytest.raises(ModelError, match="'conv' must have 'kernel'"):
        read_keras2_model(path, scale=1)
    newer = write_keras(tmp_path / "new.keras", segnet_description, {}, "3.15.1")
    with pytest.raises(ModelError, match=r"must be of Keras 2. Received: 3.15.1"):
        read_keras2_model(newer, scale=1)


def test_a_lambda_is_refused_and_not_run(tmp_path, write_model, make_functional):
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}
    layer = {
        "class_name": "Lambda",
        "name": "evil",
        "config": {"name": "evil", "function": code},
        "inbound_nodes": [[["image", 0, 0, {}]]],
    }
    path = write_model(tmp_path / "model.h5", make_functional([layer]), {})
    with pytest.raises(ModelError, match="'evil' is of the class 'Lambda'"):
        read_keras2_model(path, scale=1)


def test_weights_outside_of_the_file_are_refused(
    tmp_path, write_model, segnet_description, segnet_weights
):
    path = write_model(tmp_path / "model.h5", segnet_description, segnet_weights)
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(16))
    with h5py.File(path, "a") as file:
        group = file["model_weights/conv"]
        del group["conv/bias:0"]
        group.create_dataset("conv/bias:0", (4,), "f4", external=[(str(secret), 0, 16)])
    with pytest.raises(ModelError, match="must lie in the file itself"):
        read_keras2_model(path, scale=1)
