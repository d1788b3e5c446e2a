"""Descriptions as models of Keras 3, for grey images of any size."""

import re

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.adaptation import Adaptation
from defectkeras.registry.foreign.description import read_graph
from defectkeras.registry.foreign.network import build_network


def test_segnet_of_addons(segnet_description):
    model = build_network(read_graph(segnet_description), Adaptation(scale=(255.0,)))
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
    model = build_network(read_graph(description))
    model.get_layer("a").set_weights([np.full((1, 1, 1, 2), 3.0), np.array([0.0, 1.0])])
    logits = model(np.ones((1, 2, 3, 1)))
    np.testing.assert_array_equal(logits[0, 0, 0], [3, 4])  # no softmax


def test_other_models_are_refused(make_functional, make_convolution, make_layer):
    with pytest.raises(ModelError, match="inputs that are not there"):
        build_network(read_graph(make_functional([make_convolution("a", ["b"], 1)])))
    operation = make_layer(
        "op", "TFOpLambda", [["image", 0, 0, {}]], function="io.write_file"
    )
    with pytest.raises(ModelError, match=r"'tf\.io\.write_file' of 'op'"):
        build_network(read_graph(make_functional([operation])))


def test_unpooling_must_fit_its_pooling(segnet_description):
    layers = segnet_description["config"]["layers"]
    unpool = next(x for x in layers if x["name"] == "unpool")
    unpool["config"]["padding"] = "VALID"
    with pytest.raises(ModelError, match="'unpool' must unpool by the windows"):
        build_network(read_graph(segnet_description))
    unpool["inbound_nodes"] = [[["pool", 0, 0, {"mask": ["conv", 0, 0]}]]]
    with pytest.raises(ModelError, match="'unpool' must unpool by the windows"):
        build_network(read_graph(segnet_description))


def weighted_sum(make_layer):
    """Describe a layer that adds up the channels, each times its own weight."""
    return make_layer(
        "sum", "Conv2D", ["image"], filters=1, kernel_size=[1, 1], use_bias=False
    )


def test_a_network_of_color_sees_grey_in_each_channel(make_functional, make_layer):
    description = make_functional([weighted_sum(make_layer)])
    entry = description["config"]["layers"][0]["config"]
    entry["batch_input_shape"] = [None, 16, 24, 3]
    graph = read_graph(description)
    adaptation = Adaptation(scale=(255.0,), offset=(-1.0, -2.0, -3.0))
    model = build_network(graph, adaptation)
    kernel = np.array([1.0, 10.0, 100.0]).reshape(1, 1, 3, 1)
    model.get_layer("sum").set_weights([kernel])
    image = np.random.default_rng(2).random((1, 3, 5, 1), dtype=np.float32)
    expected = 255 * image * 111 - 321
    np.testing.assert_allclose(model(image), expected, rtol=1e-5)


def test_layers_are_left_out_by_name_or_class(make_functional, make_layer):
    lambda_ = make_layer("norm", "Lambda", ["image"], function="evil")
    conv = make_layer("out", "Conv2D", ["norm"], filters=2, kernel_size=[1, 1])
    graph = read_graph(make_functional([lambda_, conv]))
    with pytest.raises(ModelError, match="'norm' is of the class 'Lambda'"):
        build_network(graph)
    for name in ("norm", "Lambda"):
        model = build_network(graph, Adaptation(skip_layers=(name,)))
        assert [x.name for x in model.layers] == ["image", "out", "logits_float32"]
    with pytest.raises(ModelError, match=r"'other' to leave out.*has none"):
        build_network(graph, Adaptation(skip_layers=("norm", "other")))


def test_the_name_that_a_refusal_tells_leaves_a_layer_out(make_functional, make_layer):
    """Also where it lies in a model within the model, or has a name with dots."""
    lambda_ = make_layer("norm", "Lambda", ["image"], function="evil")
    odd = make_layer("tf.odd", "TFOpLambda", [["norm", 0, 0, {}]], function="odd")
    inner = make_functional([lambda_, odd])
    inner |= {"name": "inner", "inbound_nodes": [[["image", 0, 0, {}]]]}
    after = [["inner", 1, 0, {}]]
    conv = make_layer("out", "Conv2D", after, filters=2, kernel_size=[1, 1])
    graph = read_graph(make_functional([inner, conv]))
    skipped = []
    for _ in range(2):
        with pytest.raises(ModelError, match="--skip-layer") as refusal:
            build_network(graph, Adaptation(skip_layers=tuple(skipped)))
        skipped += re.findall(r"--skip-layer (\S+)", str(refusal.value))
    assert skipped == ["inner__norm", "inner__tf_odd"]
    model = build_network(graph, Adaptation(skip_layers=tuple(skipped)))
    assert [x.name for x in model.layers] == ["image", "out", "logits_float32"]


def test_a_shared_layer_is_one_layer(make_functional, make_convolution, make_layer):
    shared = make_convolution("shared", ["image"], 1, activation="relu")
    shared["inbound_nodes"] = [[["image", 0, 0, {}]], [["shared", 0, 0, {}]]]
    both = make_layer("both", "Add", [("shared", 0, 0), ("shared", 1, 0)])
    model = build_network(read_graph(make_functional([shared, both])))
    layer = model.get_layer("shared")
    image = np.random.default_rng(3).random((1, 8, 8, 1), dtype=np.float32)
    once = layer(image)
    np.testing.assert_allclose(model(image), once + layer(once), rtol=1e-6)


def test_a_resizing_magnifies_as_often_at_every_size(make_functional, make_layer):
    layers = [
        make_layer("pool", "MaxPooling2D", ["image"], pool_size=[4, 4]),
        make_layer(
            "resize",
            "TFOpLambda",
            [["pool", 0, 0, {"size": [16, 24]}]],
            function="image.resize",
        ),
    ]
    description = make_functional(layers)
    model = build_network(read_graph(description))
    assert model(np.zeros((1, 32, 8, 1))).shape == (1, 32, 8, 1)
    entry = description["config"]["layers"][0]["config"]
    entry["batch_input_shape"] = [None, None, None, 1]
    with pytest.raises(ModelError, match=r"'tf.image.resize'.*known size"):
        build_network(read_graph(description))


def test_a_resizing_of_two_sizes_magnifies_each_as_it_did(make_functional, make_layer):
    pools = [
        make_layer(f"pool_{n}", "MaxPooling2D", ["image"], pool_size=[n, n])
        for n in (2, 4)
    ]
    resize = make_layer("resize", "Resizing", ["pool_2"], height=16, width=24)
    resize["inbound_nodes"] = [[[f"pool_{n}", 0, 0, {}]] for n in (2, 4)]
    both = make_layer("both", "Add", [("resize", 0, 0), ("resize", 1, 0)])
    model = build_network(read_graph(make_functional([*pools, resize, both])))
    assert model(np.zeros((1, 32, 8, 1))).shape == (1, 32, 8, 1)


def test_what_would_compute_something_else_is_refused(make_functional, make_layer):
    norm = make_layer("n", "BatchNormalization", [("image", 0, 0, {"training": True})])
    with pytest.raises(ModelError, match="'n' must not be called with training=True"):
        build_network(read_graph(make_functional([norm])))
    drop = make_layer("d", "Dropout", [("image", 0, 0, {"training": True})], rate=0.5)
    assert build_network(read_graph(make_functional([drop]))).get_layer("d")
    constant = ("_CONSTANT_VALUE", -1, [[1.0]])
    add = make_layer("add", "Add", ["image", constant])
    with pytest.raises(ModelError, match="'add' must take tensors of the model"):
        build_network(read_graph(make_functional([add])))
    alike = [make_layer("a/b", "ReLU", ["image"]), make_layer("a.b", "ELU", ["a/b"])]
    with pytest.raises(ModelError, match=r"names of their own.* 'a_b'"):
        build_network(read_graph(make_functional(alike)))


def test_weights_for_each_pixel_are_refused(make_functional, make_layer):
    shared = make_layer("p", "PReLU", ["image"], shared_axes=[1, 2])
    assert build_network(read_graph(make_functional([shared]))).get_layer("p")
    for layer in (
        make_layer("odd", "PReLU", ["image"], shared_axes=None),
        make_layer("odd", "LayerNormalization", ["image"], axis=[1, 2, 3]),
    ):
        with pytest.raises(ModelError, match=r"'odd' must have one .*\(16, 24, 1\)"):
            build_network(read_graph(make_functional([layer])))
