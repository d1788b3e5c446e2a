"""Functions of TensorFlow and Keras 3, each against what the function itself gives."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.description import Call, Place
from defectkeras.registry.foreign.operations import read_operation

RANDOM = np.random.default_rng(1)
FIRST = RANDOM.normal(0, 2, (2, 4, 6, 3)).astype("f")
SECOND = RANDOM.normal(0, 2, (2, 4, 6, 3)).astype("f")
A, B = Place("a", 0, 0), Place("b", 0, 0)
PER_CHANNEL = [[[1.0, 2.0, 4.0]]]


def compute(class_name, call):
    """Give what the layer makes of `FIRST` at place A and `SECOND` at place B."""
    arrays = [{A: FIRST, B: SECOND}[place] for place in call.places]
    tensors = [tf.constant(array) for array in arrays]
    layer = read_operation(class_name, "layer", call, tensors)
    assert layer.name == "layer"
    return layer(tensors if len(tensors) > 1 else tensors[0])


@pytest.mark.parametrize(
    ("class_name", "call", "expected"),
    [
        ("tf.nn.relu", Call((A,)), tf.nn.relu(FIRST)),
        ("ops.Relu6", Call((A,)), tf.nn.relu6(FIRST)),
        ("tf.nn.swish", Call((A,), {"beta": None}), tf.nn.swish(FIRST)),
        ("tf.math.sigmoid", Call((A,)), tf.math.sigmoid(FIRST)),
        ("tf.nn.gelu", Call((A,), {"approximate": False}), tf.nn.gelu(FIRST)),
        ("tf.nn.softmax", Call((A,), {"axis": -1}), tf.nn.softmax(FIRST)),
        ("tf.nn.leaky_relu", Call((A,)), tf.nn.leaky_relu(FIRST)),
        ("tf.nn.leaky_relu", Call((A,), {"alpha": 0.1}), tf.nn.leaky_relu(FIRST, 0.1)),
        ("ops.Elu", Call((A,), {"alpha": 1.0}), keras.ops.elu(FIRST)),
        ("ops.LeakyRelu", Call((A,)), keras.ops.leaky_relu(FIRST)),
        ("tf.math.add", Call((A,), {"y": B}), FIRST + SECOND),
        ("tf.__operators__.add", Call((A,), {"y": 3.0, "name": None}), FIRST + 3),
        ("ops.Add", Call((A, PER_CHANNEL)), FIRST + np.array([1, 2, 4])),
        ("ops.Subtract", Call((A, B)), FIRST - SECOND),
        ("tf.math.subtract", Call((A,), {"y": 2.0}), FIRST - 2),
        ("tf.math.subtract", Call((1.5,), {"y": A}), 1.5 - FIRST),
        ("ops.Multiply", Call((0.5, A)), FIRST / 2),
        ("tf.math.truediv", Call((A,), {"y": 127.5}), FIRST / 127.5),
        ("ops.TrueDivide", Call((A, PER_CHANNEL)), FIRST / np.array([1, 2, 4])),
        (
            "tf.concat",
            Call(([A, B],), {"axis": -1}),
            np.concatenate([FIRST, SECOND], 3),
        ),
        ("tf.concat", Call((A, B), {"axis": 3}), np.concatenate([FIRST, SECOND], 3)),
        (
            "tf.math.reduce_mean",
            Call((A,), {"axis": [1, 2], "keepdims": True}),
            FIRST.mean((1, 2), keepdims=True),
        ),
        ("ops.Mean", Call((A,), {"axis": [-3, -2]}), FIRST.mean((1, 2))),
        ("tf.image.resize", Call((A, [8, 12])), tf.image.resize(FIRST, (8, 12))),
        (
            "ops.Resizing",
            Call((A,), {"height": 8, "width": 6, "interpolation": "nearest"}),
            tf.image.resize(FIRST, (8, 6), "nearest"),
        ),
        ("tf.cast", Call((A,), {"dtype": "float32"}), None),
    ],
)
def test_layers_compute_what_the_functions_compute(class_name, call, expected):
    if expected is None:
        assert read_operation(class_name, "layer", call, [tf.constant(FIRST)]) is None
        return
    found = compute(class_name, call)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("class_name", "call", "message"),
    [
        ("tf.io.write_file", Call((A,)), "known are add, cast"),
        ("tf.sparse.add", Call((A,), {"y": B}), "known are"),
        ("tf.nn.gelu", Call((A,), {"approximate": True}), "approximate=True"),
        ("tf.nn.softmax", Call((A,), {"axis": 1}), "axis=1"),
        ("tf.math.truediv", Call((1.0,), {"y": A}), "divides by a tensor"),
        ("tf.math.truediv", Call((A,), {"y": B}), "two tensors"),
        ("tf.math.add", Call((A,)), "1 operands"),
        ("tf.math.add", Call((A, [[1.0, 2.0], [3.0, 4.0]])), "for each channel"),
        ("tf.math.add", Call((A, [[1.0], [2.0]])), "for each channel"),
        ("tf.concat", Call(([A, 1.0],), {"axis": -1}), "takes a constant"),
        ("tf.math.reduce_mean", Call((A,), {"axis": [0]}), "height and width"),
        ("tf.concat", Call((A, B), {"axis": 1}), "axis=-1"),
        ("tf.cast", Call((A,), {"dtype": "int32"}), "makes int32 of"),
        ("tf.image.resize", Call((A, [9, 12])), r"makes \[9, 12\] of \(4, 6\)"),
        ("tf.image.resize", Call((A, B)), "a known size"),
    ],
)
def test_what_is_not_known_is_refused(class_name, call, message):
    with pytest.raises(ModelError, match=f"'{class_name}' of 'layer'.*{message}"):
        compute(class_name, call)


def test_other_resizing_is_refused():
    for call in (Call((A, [8, 12]), {"method": "bicubic"}), Call((A, [8, 18]))):
        with pytest.raises(ModelError, match=r"'layer' must magnify nearest, or"):
            compute("tf.image.resize", call)
