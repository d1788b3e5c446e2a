"""Descriptions of Keras 2 as models of Keras 3."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.registry.legacy.network import build_network


def test_segnet_of_addons(segnet_description):
    model = build_network(segnet_description, scale=255)
    kinds = [type(x).__name__ for x in model.layers]
    assert kinds.count("MaxPoolingWithIndices") == kinds.count("MaxUnpooling2D") == 1
    assert model.input_shape == (None, None, None, 1)
    assert model.output_shape == (None, None, None, 3)
    assert model.get_layer("out").activation is keras.activations.linear
    image = np.random.default_rng(1).random((2, 16, 24, 1), dtype=np.float32)
    assert model(image).dtype == "float32"


def test_sequential_model():
    layers = [
        {
            "class_name": "Conv2D",
            "config": {
                "name": "a",
                "filters": 2,
                "kernel_size": [1, 1],
                "batch_input_shape": [None, 8, 8, 1],
            },
        },
        {"class_name": "Softmax", "config": {"name": "b", "axis": -1}},
    ]
    description = {"class_name": "Sequential", "config": {"layers": layers}}
    model = build_network(description, scale=1)
    model.get_layer("a").set_weights([np.full((1, 1, 1, 2), 3.0), np.array([0.0, 1.0])])
    logits = model(np.ones((1, 2, 3, 1)))
    np.testing.assert_array_equal(logits[0, 0, 0], [3, 4])  # no softmax


def test_other_models_are_refused(make_functional, make_convolution, make_layer):
    with pytest.raises(ModelError, match=r"functional and sequential.*'Segmenter'"):
        build_network({"class_name": "Segmenter", "config": {}}, scale=1)
    shared = make_convolution("a", ["image"], 1)
    shared["inbound_nodes"] *= 2
    with pytest.raises(ModelError, match=r"used once.*'a', used 2 times"):
        build_network(make_functional([shared]), scale=1)
    with pytest.raises(ModelError, match="inputs that are not there"):
        build_network(make_functional([make_convolution("a", ["b"], 1)]), scale=1)
    operation = make_layer(
        "op", "TFOpLambda", [["image", 0, 0, {}]], function="io.write_file"
    )
    with pytest.raises(ModelError, match=r"'io.write_file' of 'op'"):
        build_network(make_functional([operation]), scale=1)


def test_unpooling_must_fit_its_pooling(segnet_description):
    layers = segnet_description["config"]["layers"]
    unpool = next(x for x in layers if x["name"] == "unpool")
    unpool["config"]["padding"] = "VALID"
    with pytest.raises(ModelError, match="'unpool' must unpool by the windows"):
        build_network(segnet_description, scale=1)
    unpool["inbound_nodes"] = [[["pool", 0, 0, {"mask": ["conv", 0, 0]}]]]
    with pytest.raises(ModelError, match="'unpool' must unpool by the windows"):
        build_network(segnet_description, scale=1)
