"""Ours against tensorflow-addons 0.23 on TensorFlow 2.15 and Keras 2.15."""

import json

import numpy as np
import pytest
import tensorflow as tf

from defectkeras.losses.focal import sigmoid_focal_cross_entropy
from defectkeras.models.layers import MaxPoolingWithIndices, MaxUnpooling2D
from defectkeras.registry.foreign.adaptation import Adaptation
from defectkeras.registry.foreign.files import read_keras_model

DTYPES = ("float32", "float16")


def read_cases(path, dtype):
    """Give each case with its arrays by name."""
    with np.load(path) as file:
        for number, case in enumerate(json.loads(str(file["cases"]))):
            prefix = f"{number}/{dtype}/"
            names = [n for n in file.files if n.startswith(prefix)]
            yield case, {n.removeprefix(prefix): file[n] for n in names}


def gradient(function, tensor, upstream=None):
    tensor = tf.constant(tensor)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        result = function(tensor)
    return result, tape.gradient(result, tensor, output_gradients=upstream)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("indices", ["window", "flat"])
def test_pooling_and_unpooling(oracle, dtype, indices):
    for case, arrays in read_cases(oracle / "unpooling.npz", dtype):
        geometry = (*(tuple(case[k]) for k in ("pool", "strides")), case["padding"])
        arguments = (*geometry[:2], geometry[2].lower(), indices)
        pool = MaxPoolingWithIndices(*arguments, dtype=dtype)
        places = pool(arrays["images"])[1]
        if indices == "flat":
            np.testing.assert_array_equal(places, arrays["indices"])
        found = gradient(
            lambda x, pool=pool: pool(x)[0], arrays["images"], arrays["pooled_upstream"]
        )
        np.testing.assert_array_equal(found[0], arrays["pooled"])
        np.testing.assert_array_equal(found[1], arrays["images_gradient"])
        unpool = MaxUnpooling2D(*arguments, dtype=dtype)
        found = gradient(
            lambda v, unpool=unpool, places=places: unpool([v, places]),
            arrays["values"],
            arrays["unpooled_upstream"],
        )
        np.testing.assert_array_equal(found[0], arrays["unpooled"])
        np.testing.assert_array_equal(found[1], arrays["values_gradient"])


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float16", 1e-2)])
def test_focal_loss(oracle, dtype, tolerance):
    for case, arrays in read_cases(oracle / "focal.npz", dtype):

        def focal(logits, case=case, arrays=arrays):
            settings = case["alpha"], case["gamma"]
            return tf.reduce_sum(
                sigmoid_focal_cross_entropy(arrays["y_true"], logits, *settings),
                axis=-1,
            )

        loss, slope = gradient(focal, arrays["y_pred"])
        close = {"rtol": tolerance, "atol": tolerance / 10}
        np.testing.assert_allclose(loss, arrays["loss"], **close)
        np.testing.assert_allclose(slope, arrays["gradient"], **close)


@pytest.mark.parametrize("name", ["segnet.h5", "segnet.keras", "segnet_saved"])
def test_a_segnet_saved_there_gives_the_same_here(oracle, name):
    model = read_keras_model(oracle / name)
    with np.load(oracle / "segnet.npz") as file:
        images, expected = file["images"], file["probability_map"]
    found = tf.nn.softmax(model(images.astype(np.float32)))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    scaled = read_keras_model(oracle / name, Adaptation(scale=(255.0,)))
    found = tf.nn.softmax(scaled(images.astype(np.float32) / 255))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["nested.h5", "nested.keras", "nested_saved"])
def test_models_within_a_model_saved_there_give_the_same_here(oracle, name):
    adaptation = Adaptation((2.0,), (-1.0,), skip_layers=("Lambda",))
    model = read_keras_model(oracle / name, adaptation)
    with np.load(oracle / "nested.npz") as file:
        images, expected = file["images"], file["probability_map"]
    found = tf.nn.softmax(model(images.astype(np.float32)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
