"""What Keras 2 and 3 write about a model, in one form."""

import json

import keras
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.description import (
    Call,
    Place,
    inside_of,
    path_of,
    read_graph,
)


def test_calls_of_keras_2(make_functional, make_layer):
    nodes = [
        ["image", 0, 0, {"y": ["other", 0, 1], "axis": [1, 2], "z": [["a", 0, 0]]}]
    ]
    constant = [["_CONSTANT_VALUE", -1, 2.5, {"y": ["image", 0, 0]}]]
    layers = [
        make_layer("a", "TFOpLambda", nodes, function="math.add"),
        make_layer("b", "TFOpLambda", constant, function="math.subtract"),
    ]
    graph = read_graph(make_functional(layers))
    image, other, a = Place("image", 0, 0), Place("other", 0, 1), Place("a", 0, 0)
    (call,) = graph.find("a").calls
    assert call == Call((image,), {"y": other, "axis": [1, 2], "z": [a]})
    assert call.places == [image, other, a]
    (call,) = graph.find("b").calls
    assert call == Call((2.5,), {"y": image})
    assert graph.find("b").class_name == "tf.math.subtract"


def test_calls_of_keras_3():
    image = keras.Input((8, 8, 2), name="image")
    both = keras.ops.concatenate([image, image * 2.0], axis=-1)
    model = keras.Model(image, keras.layers.Softmax(name="last")(both))
    described = json.loads(model.to_json())
    graph = read_graph(described, of_keras_3=True)
    assert graph.inputs == (Place("image", 0, 0),)
    assert graph.outputs == (Place("last", 0, 0),)
    by_class = {layer.class_name: layer for layer in graph.layers}
    (call,) = by_class["ops.Multiply"].calls
    assert call.operands == (Place("image", 0, 0), 2.0)
    (call,) = by_class["ops.Concatenate"].calls
    name = by_class["ops.Multiply"].name
    assert call.operands == ([Place("image", 0, 0), Place(name, 0, 0)],)
    assert call.arguments["axis"] == -1
    assert graph.find("last").of_keras_3


def test_a_model_within_the_model_of_keras_2_is_counted_from_one(
    make_functional, make_convolution
):
    inner = make_functional([make_convolution("conv", ["image"], 1)])
    inner = {**inner, "name": "inner", "inbound_nodes": [[["image", 0, 0, {}]]]}
    after = make_convolution("after", [["inner", 1, 0, {}]], 1)
    graph = read_graph(make_functional([inner, after]))
    assert graph.find("inner").first_call == 1
    assert graph.find("after").first_call == 0
    assert graph.find("inner").graph.find("conv").class_name == "Conv2D"


def test_paths_are_names_that_keras_takes():
    assert path_of("", "conv") == "conv"
    assert path_of(inside_of(inside_of("", "a"), "b"), "c/d.e") == "a__b__c_d_e"


def test_other_descriptions_are_refused(make_functional, make_convolution):
    with pytest.raises(ModelError, match=r"functional and sequential.*'Segmenter'"):
        read_graph({"class_name": "Segmenter", "config": {}})
    description = make_functional([make_convolution("a", ["image"], 1)])
    description["config"]["output_layers"] = {"map": ["a", 0, 0]}
    with pytest.raises(ModelError, match=r"must be a list. Received: dict"):
        read_graph(description)
    with pytest.raises(ModelError, match="must have the layer 'b'"):
        read_graph(make_functional([make_convolution("a", ["image"], 1)])).find("b")
