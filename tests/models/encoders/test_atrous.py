"""The rule that removes strides, on a small network by hand."""

import keras
import numpy as np
import pytest

from defectkeras.models.encoders.atrous import make_atrous, widen_multi_grid


def small_network():
    """Halve by a convolution, by a pool beside a 1x1 convolution, and once more."""
    image = keras.Input((None, None, 1), name="image")
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(image)
    beside = keras.layers.Conv2D(6, 1, strides=2, name="shortcut")(x)
    x = keras.layers.Conv2D(6, 3, padding="same", name="look")(x)
    x = keras.layers.MaxPooling2D(3, strides=2, padding="same", name="pool")(x)
    x = keras.layers.Add(name="sum")([x, beside])
    x = keras.layers.ZeroPadding2D(((1, 2), (1, 2)), name="pad")(x)
    x = keras.layers.DepthwiseConv2D(5, strides=2, name="deep")(x)
    x = keras.layers.Conv2D(3, 3, padding="same", name="last")(x)
    return keras.Model(image, x)


def rebuild(model, output_stride):
    config = model.get_config()
    for layer in config["layers"]:
        layer.pop("build_config", None)
    last = make_atrous(config["layers"], output_stride)
    dense = keras.Model.from_config(config)
    dense.set_weights(model.get_weights())
    return dense, last


@pytest.mark.parametrize(("output_stride", "step"), [(8, 1), (4, 2), (2, 4)])
def test_dense_map_holds_the_strided_one(output_stride, step):
    keras.utils.set_random_seed(2)
    model = small_network()
    dense, _ = rebuild(model, output_stride)
    image = np.random.default_rng(3).normal(size=(2, 48, 32, 1)).astype(np.float32)
    found = dense(image).numpy()
    assert found.shape == (2, 48 // output_stride, 32 // output_stride, 3)
    np.testing.assert_allclose(found[:, ::step, ::step], model(image), atol=1e-5)


def test_layer_that_had_the_stride_keeps_the_old_rate():
    dense, last = rebuild(small_network(), 2)
    rates = [dense.get_layer(n).dilation_rate for n in ("look", "deep", "last")]
    assert rates == [(1, 1), (2, 2), (4, 4)]
    assert last == {1: "image", 2: "last"} or last == {2: "last"}


def test_each_stride_ends_in_its_last_layer():
    _, last = rebuild(small_network(), 8)
    assert last == {2: "look", 4: "sum", 8: "last"}


def test_strided_convolution_with_its_own_padding_is_refused():
    image = keras.Input((16, 24, 1))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(image)
    layers = keras.Model(image, x).get_config()["layers"]
    with pytest.raises(ValueError, match="stem must be a layer of its own"):
        make_atrous(layers, 1)


def test_multi_grid_multiplies_the_rates():
    config = small_network().get_config()
    make_atrous(config["layers"], 2)
    widen_multi_grid(config["layers"], {"last": 3, "look": 1})
    rates = {e["name"]: e["config"].get("dilation_rate") for e in config["layers"]}
    assert rates["last"] == (12, 12)
    assert tuple(rates["look"]) == (1, 1)
