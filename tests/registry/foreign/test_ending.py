"""Which softmax or sigmoid is left out."""

import json

import keras
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.description import read_graph
from defectkeras.registry.foreign.ending import find_last_activation


@pytest.fixture
def find(make_functional, make_convolution, make_layer):
    """Give the activation that is left out after a convolution with a softmax."""

    def find(*layers, skip=(), **changes):
        first = make_convolution("conv", ["image"], 3, activation="softmax")
        first |= changes
        after = [make_layer(name, *rest, **config) for name, *rest, config in layers]
        graph = read_graph(make_functional([first, *after]))
        return find_last_activation(graph, skip)

    return find


def test_what_passes_on_is_seen_through(find):
    linear = ("linear", "Activation", ["conv"], {"activation": "linear"})
    cast = ("cast", "TFOpLambda", [["linear", 0, 0, {}]], {"function": "cast"})
    reshape = ("list", "Reshape", ["cast"], {"target_shape": [384, 3]})
    assert find() == "conv"
    assert find(linear, cast) == "conv"
    assert find(linear, cast, reshape, skip=("Reshape",)) == "conv"
    assert find(("norm", "BatchNormalization", ["conv"], {})) is None


def test_what_cannot_be_left_out_is_refused(find):
    with pytest.raises(ModelError, match=r"'conv' must be the end.*'up' comes after"):
        find(("up", "UpSampling2D", ["conv"], {"size": [2, 2]}))
    twice = [[["image", 0, 0, {}]], [["conv", 0, 0, {}]]]
    with pytest.raises(ModelError, match="'conv' is used elsewhere, too"):
        find(inbound_nodes=twice)
    softmax = ("rows", "Softmax", ["conv"], {"axis": 1})
    with pytest.raises(ModelError, match=r"of 'rows' must.*over the axis 1"):
        find(softmax)
    softmax = ("rows", "TFOpLambda", [["conv", 0, 0, {"axis": 1}]])
    with pytest.raises(ModelError, match="over the axis 1"):
        find((*softmax, {"function": "nn.softmax"}))


def test_the_output_of_an_inner_model_that_is_used(make_functional, make_convolution):
    gate = make_convolution("gate", ["image"], 3, activation="sigmoid")
    last = make_convolution("last", ["image"], 3, activation="softmax")
    inner = make_functional([gate, last])
    inner["config"]["output_layers"] = [["gate", 0, 0], ["last", 0, 0]]
    inner |= {"name": "inner", "inbound_nodes": [[["image", 0, 0, {}]]]}
    for output, expected in enumerate(("inner__gate", "inner__last")):
        outer = make_functional([inner])
        outer["config"]["output_layers"] = [["inner", 0, output]]
        assert find_last_activation(read_graph(outer)) == expected


def test_a_resizing_of_keras_3_after_it_is_refused():
    image = keras.Input((8, 8, 1))
    map_ = keras.layers.Conv2D(2, 1, activation="softmax", name="conv")(image)
    model = keras.Model(image, keras.ops.image.resize(map_, (16, 16)))
    graph = read_graph(json.loads(model.to_json()), of_keras_3=True)
    with pytest.raises(ModelError, match=r"'conv' must be the end.* comes after"):
        find_last_activation(graph)
