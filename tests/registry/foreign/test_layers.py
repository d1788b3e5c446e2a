"""The table of layers that may be imported, and what is refused."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.registry.foreign.layers import read_layer, read_pooling


def test_arguments_reach_the_layer():
    found = read_layer(
        "Conv2DTranspose",
        {
            "name": "up",
            "filters": 3,
            "kernel_size": [2, 3],
            "strides": [2, 2],
            "activation": "swish",
            "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.1}},
            "dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}},
        },
    )
    assert (found.filters, found.kernel_size, found.name) == (3, (2, 3), "up")
    assert found.activation is keras.activations.silu
    assert found.kernel_regularizer is None
    assert found.compute_dtype == "float32"


def test_renamed_arguments():
    assert read_layer("LeakyReLU", {"name": "a", "alpha": 0.1}).negative_slope == 0.1
    assert read_layer("ELU", {"name": "a", "alpha": 0.5}).alpha == 0.5
    for name in ("BatchNormalization", "SyncBatchNormalization"):
        assert read_layer(name, {"name": "b", "axis": [3]}).axis == 3


def test_an_activation_may_be_a_layer():
    inner = {"class_name": "LeakyReLU", "config": {"name": "a", "alpha": 0.25}}
    config = {"name": "c", "filters": 1, "kernel_size": [1, 1], "activation": inner}
    found = read_layer("Conv2D", config).activation(np.array([-4.0, 8.0]))
    np.testing.assert_array_equal(found, [-1, 8])
    inner = {"class_name": "Lambda", "config": {"name": "a", "function": "evil"}}
    with pytest.raises(ModelError, match=r"'c' has activation=.* cannot be imported"):
        read_layer("Conv2D", {**config, "activation": inner})


def test_instance_normalization_is_over_each_channel():
    found = read_layer("Addons>InstanceNormalization", {"name": "n", "groups": 4})
    image = np.random.default_rng(1).normal(3, 2, (2, 5, 6, 4)).astype("f")
    mean = image.mean(axis=(1, 2), keepdims=True)
    variance = image.var(axis=(1, 2), keepdims=True)
    expected = (image - mean) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(found(image), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "class_name",
    [
        *("Lambda", "TFSMLayer", "my_package>Attention", "Addons>CRF"),
        *("InstanceNormalization", "MaxUnpooling2D"),  # of keras-contrib, or one's own
    ],
)
def test_other_classes_are_refused(class_name):
    with pytest.raises(ModelError, match=f"'odd' is of the class '{class_name}'"):
        read_layer(class_name, {"name": "odd", "function": "os.system"})


@pytest.mark.parametrize(
    ("class_name", "config"),
    [
        ("Activation", {"activation": "hard_sigmoid"}),
        ("Activation", {"activation": {"class_name": "function", "config": "evil"}}),
        ("Conv2D", {"filters": {"class_name": "Lambda"}, "kernel_size": [3, 3]}),
        ("MaxPooling2D", {"pool_size": [2, 2], "turned": 0.5}),
        ("MaxPooling2D", {"pool_size": [2, 2], "data_format": "channels_first"}),
    ],
)
def test_other_arguments_are_refused(class_name, config):
    with pytest.raises(ModelError, match=r"'odd' has .* cannot be imported"):
        read_layer(class_name, {"name": "odd", **config})


@pytest.mark.parametrize("ksize", [2, [2], [2, 2], [1, 2, 2, 1]])
def test_pooling_reads_every_form_of_a_size(ksize):
    arguments = {"ksize": ksize, "strides": [1, 2, 3, 1], "padding": "VALID"}
    found = read_pooling("pool", arguments)
    assert (found.pool_size, found.strides, found.padding) == ((2, 2), (2, 3), "valid")
    with pytest.raises(ModelError, match="include_batch_in_index=True"):
        read_pooling("pool", {**arguments, "include_batch_in_index": True})
