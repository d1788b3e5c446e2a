"""Descriptions and files as Keras 2 wrote them, made by hand."""

import json

import h5py
import numpy as np
import pytest


def layer(name, class_name, inputs, **config):
    """Describe one layer; `inputs` are names or (name, output) or nodes."""
    nodes = [[[i, 0, 0, {}] if isinstance(i, str) else list(i) for i in inputs]]
    if class_name == "TFOpLambda":
        nodes = nodes[0]
    return {
        "class_name": class_name,
        "name": name,
        "config": {"name": name, "dtype": "float32", "trainable": True, **config},
        "inbound_nodes": nodes if inputs else [],
    }


def convolution(name, inputs, filters, size=3, **config):
    settings = {"filters": filters, "kernel_size": [size, size], "padding": "same"}
    initializer = {"class_name": "Lambda", "config": {"function": "evil"}}
    return layer(
        name,
        "Conv2D",
        inputs,
        **{**settings, "kernel_initializer": initializer, "groups": 1, **config},
    )


def functional(layers, last=None):
    image = {"name": "image", "batch_input_shape": [None, 16, 24, 1]}
    first = {
        "class_name": "InputLayer",
        "name": "image",
        "config": image,
        "inbound_nodes": [],
    }
    config = {
        "name": "model",
        "layers": [first, *layers],
        "input_layers": [["image", 0, 0]],
        "output_layers": [[last or layers[-1]["name"], 0, 0]],
    }
    return {"class_name": "Functional", "config": config}


def segnet():
    """A SegNet of one level, with the layers of tensorflow-addons."""
    pooling = ["conv", 0, 0, {"ksize": 2, "strides": 2, "padding": "SAME"}]
    mask = ["pool", 0, 0, {"mask": ["cast", 0, 0]}]
    return functional(
        [
            convolution("conv", ["image"], 4, activation="relu"),
            layer("pool", "TFOpLambda", [pooling], function="nn.max_pool_with_argmax"),
            layer(
                "cast",
                "TFOpLambda",
                [["pool", 0, 1, {"dtype": "int32"}]],
                function="cast",
            ),
            layer(
                "unpool",
                "Addons>MaxUnpooling2D",
                [mask],
                pool_size=[2, 2],
                strides=[2, 2],
                padding="SAME",
            ),
            layer(
                "norm", "Addons>InstanceNormalization", ["unpool"], groups=4, axis=-1
            ),
            convolution("out", ["norm"], 3, 1, activation="softmax"),
        ]
    )


WEIGHTS = {
    "conv": {"kernel": (3, 3, 1, 4), "bias": (4,)},
    "norm": {"gamma": (4,), "beta": (4,)},
    "out": {"kernel": (1, 1, 4, 3), "bias": (3,)},
}


def draw_weights(shapes=WEIGHTS, seed=0):
    random = np.random.default_rng(seed)
    return {
        name: {key: random.normal(size=shape).astype("f") for key, shape in own.items()}
        for name, own in shapes.items()
    }


def write_h5(path, description, weights):
    """Write the layout of Keras 2: a group for each layer, with names in attributes."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(description)
        root = file.create_group("model_weights")
        names = [x["name"] for x in description["config"]["layers"]]
        root.attrs["layer_names"] = [n.encode() for n in names]
        for name in names:
            group = root.create_group(name)
            own = weights.get(name, {})
            paths = [f"{name}/{key}:0" for key in own]
            group.attrs["weight_names"] = [p.encode() for p in paths]
            for key, array in zip(paths, own.values(), strict=True):
                group[key] = array
    return path


@pytest.fixture
def make_layer():
    return layer


@pytest.fixture
def make_convolution():
    return convolution


@pytest.fixture
def make_functional():
    return functional


@pytest.fixture
def segnet_description():
    return segnet()


@pytest.fixture
def segnet_weights():
    return draw_weights()


@pytest.fixture
def write_model():
    return write_h5
