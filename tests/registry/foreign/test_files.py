"""Files of Keras 2 and 3. Those that Keras 2 itself wrote are read in tests/addons."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.build import build_model
from defectkeras.registry.foreign.adaptation import Adaptation
from defectkeras.registry.foreign.description import read_graph
from defectkeras.registry.foreign.files import read_keras_model
from defectkeras.registry.foreign.network import build_network
from defectkeras.registry.foreign.weights import set_weights

IMAGES = np.random.default_rng(1).random((2, 16, 24, 1), dtype=np.float32)


@pytest.fixture
def expected(segnet_description, segnet_weights):
    model = build_network(read_graph(segnet_description))
    set_weights(model, segnet_weights)
    return model(IMAGES)


def test_h5(tmp_path, write_model, segnet_description, segnet_weights, expected):
    path = write_model(tmp_path / "model.h5", segnet_description, segnet_weights)
    found = read_keras_model(path)(IMAGES)
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
    found = read_keras_model(path)(IMAGES)
    np.testing.assert_array_equal(found, expected)


def test_the_version_of_keras_tells_which_hard_sigmoid(
    tmp_path, make_functional, make_layer
):
    layer = make_layer("a", "Activation", ["image"], activation="hard_sigmoid")
    layer["module"] = "keras.layers"  # as Keras 2.13 and later write, too
    path = tmp_path / "model.keras"
    write_keras(path, make_functional([layer]), {"none": {"0": np.zeros(1)}}, "3.1.0")
    expected = keras.activations.hard_sigmoid(IMAGES)
    np.testing.assert_array_equal(read_keras_model(path)(IMAGES), expected)
    write_keras(path, make_functional([layer]), {"none": {"0": np.zeros(1)}})
    with pytest.raises(ModelError, match="activation='hard_sigmoid'"):
        read_keras_model(path)


def test_other_files_are_told(tmp_path, write_model, segnet_description):
    path = tmp_path / "model.h5"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match="must be a model saved by Keras"):
        read_keras_model(path)
    with h5py.File(path, "w") as file:
        file["a"] = 1
    with pytest.raises(ModelError, match=r"a whole model.*Save it with model.save"):
        read_keras_model(path)
    write_model(path, segnet_description, {})
    with pytest.raises(ModelError, match="'conv' must have 'kernel'"):
        read_keras_model(path)


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
        read_keras_model(path)


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
        read_keras_model(path)


def test_weights_behind_a_link_to_another_file_are_refused(
    tmp_path, write_model, segnet_description, segnet_weights
):
    other = write_model(tmp_path / "other.h5", segnet_description, segnet_weights)
    path = write_model(tmp_path / "model.h5", segnet_description, segnet_weights)
    with h5py.File(path, "a") as file:
        del file["model_weights/conv"]
        file["model_weights/conv"] = h5py.ExternalLink(other, "model_weights/conv")
    with pytest.raises(ModelError, match="model_weights/conv must lie in the file"):
        read_keras_model(path)


def test_what_would_become_huge_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", bytes(1_000_000))
    with pytest.raises(ModelError, match=r"metadata.json must not be larger"):
        read_keras_model(path)


@pytest.mark.parametrize(
    "change",
    [
        {"output_layers": [["out", 7, 0]]},
        {"layers": [{"name": "a", "class_name": "Conv2D", "config": []}]},
        {"input_layers": [["image", 0, 0], []]},
    ],
)
def test_a_strange_description_is_told_in_a_line(
    tmp_path, write_model, segnet_description, change
):
    path = write_model(tmp_path / "model.h5", segnet_description, {})
    segnet_description["config"] |= change
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = json.dumps(segnet_description)
    with pytest.raises(ModelError, match=r"^\S+ must be a model saved by Keras.*$"):
        read_keras_model(path)


def test_a_description_without_end_is_told_in_a_line(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = '{"config":' * 9000 + "1" + "}" * 9000
    with pytest.raises(ModelError, match="but: RecursionError"):
        read_keras_model(path)


def test_a_long_list_of_weights_is_in_parts(
    tmp_path, write_model, segnet_description, segnet_weights, expected
):
    path = write_model(tmp_path / "model.h5", segnet_description, segnet_weights)
    with h5py.File(path, "a") as file:
        names = file["model_weights/conv"].attrs
        for number, name in enumerate(names["weight_names"]):
            names[f"weight_names{number}"] = [name]
        del names["weight_names"]
    np.testing.assert_array_equal(read_keras_model(path)(IMAGES), expected)


def everything():
    """Build a network as others write them: functions, and models within the model."""
    layers = keras.layers
    encoder_image = keras.Input((32, 32, 3))
    x = layers.Rescaling(2.0, offset=-1.0)(encoder_image)
    x = keras.ops.relu(
        layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x))
    )
    fine = layers.DepthwiseConv2D(3, padding="same", activation="hard_sigmoid")(x)
    coarse = layers.MaxPooling2D()(fine)
    encoder = keras.Model(encoder_image, [fine, coarse])
    decoder = keras.Sequential(
        [layers.SeparableConv2D(5, 3, padding="same"), layers.BatchNormalization()]
    )
    image = keras.Input((32, 32, 3))
    fine, coarse = encoder(image)
    gate = layers.Dense(5, activation="silu")(
        keras.ops.mean(coarse, axis=(1, 2), keepdims=True)
    )
    x = layers.LayerNormalization()(decoder(coarse) * gate + 0.5)
    x = layers.Resizing(32, 32)(x)
    x = keras.ops.concatenate([x, fine], axis=-1)
    head = keras.Sequential([layers.Conv2D(3, 1), layers.Softmax()])
    return keras.Model(image, head(x))


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_a_file_of_keras_3_gives_what_keras_gives(tmp_path, ending):
    model = everything()
    random = np.random.default_rng(5)
    model.set_weights(
        [w + random.uniform(0, 0.3, w.shape).astype("f") for w in model.get_weights()]
    )
    model.save(tmp_path / f"model.{ending}")
    image = random.random((2, 32, 32, 1), dtype=np.float32)
    expected = model(np.repeat(image * 4 - 1, 3, axis=-1))
    found = read_keras_model(
        tmp_path / f"model.{ending}", Adaptation(scale=(4.0,), offset=(-1.0,))
    )
    assert found.input_shape == (None, None, None, 1)
    np.testing.assert_allclose(
        keras.ops.softmax(found(image)), expected, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_models_within_the_model(tmp_path, ending):
    layers = keras.layers
    inner_image = keras.Input((16, 16, 1))
    x = layers.Conv2D(3, 3, padding="same", name="conv")(inner_image)
    inner = keras.Model(inner_image, layers.BatchNormalization()(x), name="inner")
    image = keras.Input((16, 16, 1))
    x = layers.Conv2D(1, 3, padding="same", activation="tanh", name="conv")(image)
    model = keras.Model(image, layers.Conv2D(2, 1)(inner(x)))
    random = np.random.default_rng(6)
    model.set_weights([random.random(w.shape) for w in model.get_weights()])
    model.save(tmp_path / f"model.{ending}")
    images = random.random((2, 16, 16, 1), dtype=np.float32)
    found = read_keras_model(tmp_path / f"model.{ending}")(images)
    np.testing.assert_allclose(found, model(images), rtol=1e-5, atol=1e-5)


def test_a_network_of_here_comes_back(tmp_path):
    model = build_model("segnet_basic", num_classes=3, filters=4)
    model.save(tmp_path / "model.keras")
    image = np.random.default_rng(7).random((1, 64, 64, 1), dtype=np.float32)
    found = read_keras_model(tmp_path / "model.keras")(image)
    np.testing.assert_allclose(found, model(image), rtol=1e-4, atol=1e-5)
