import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.training.kernels import (
    require_deterministic_kernels,
    without_deterministic_kernel,
    without_xla_kernel,
)

IMAGES = tf.constant(np.random.default_rng(0).normal(size=(1, 8, 6, 2)), tf.float32)


def gradient_of(function, **arguments):
    """A step as training has it: a gradient in a function in a function."""

    @tf.function(**arguments)
    def inner(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.square(function(x)))
        return tape.gradient(y, x)

    return inner


def graph_of(function):
    inner = gradient_of(function)
    return tf.function(lambda x: inner(x)).get_concrete_function(IMAGES).graph


def unpool(x):
    return tf.nn.max_pool_with_argmax(x, 2, 2, "SAME")[0]


def resize_nearest(x):
    return tf.image.resize(x, (16, 12), "nearest")


def resize_bicubic(x):
    return tf.image.resize(x, (16, 12), "bicubic")


def convolve(x):
    return tf.nn.conv2d(x, tf.ones((3, 3, 2, 1)), 1, "SAME")


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (unpool, ("MaxPoolGradWithArgmax", "MaxPoolWithArgmax")),
        (resize_nearest, ("ResizeNearestNeighborGrad",)),
        (resize_bicubic, ("ResizeBicubic", "ResizeBicubicGrad")),
        (convolve, ()),
    ],
)
def test_what_is_named_is_what_xla_refuses(function, names):
    assert without_xla_kernel(graph_of(function)) == names
    compiled = gradient_of(function, jit_compile=True)
    if not names:
        compiled(IMAGES)
        return
    with pytest.raises((tf.errors.InvalidArgumentError, tf.errors.UnimplementedError)):
        compiled(IMAGES)


def test_xla_has_no_deterministic_gradient_of_max_pooling_on_a_gpu():
    graph = graph_of(lambda x: tf.nn.max_pool2d(x, 2, 2, "SAME"))
    assert without_xla_kernel(graph) == ()
    assert without_xla_kernel(graph, deterministic=True) == ("MaxPoolGrad",)


def test_determinism_is_refused_up_front_on_a_gpu():
    graph = graph_of(unpool)
    assert without_deterministic_kernel(graph) == ("MaxPoolGradWithArgmax",)
    with pytest.raises(TrainingError, match="none for MaxPoolGradWithArgmax"):
        require_deterministic_kernels(graph, on_gpu=True)
    require_deterministic_kernels(graph, on_gpu=False)
    require_deterministic_kernels(graph_of(convolve), on_gpu=True)


def test_gradient_of_a_frozen_norm_is_noticed():
    def normalize(x, *, is_training):
        one, zero = tf.ones(2), tf.zeros(2)
        moments = {} if is_training else {"mean": zero, "variance": one}
        return tf.compat.v1.nn.fused_batch_norm(
            x, one, zero, is_training=is_training, **moments
        )[0]

    frozen = graph_of(lambda x: normalize(x, is_training=False))
    (name,) = without_deterministic_kernel(frozen)
    assert name.endswith("of a frozen layer")
    learning = graph_of(lambda x: normalize(x, is_training=True))
    assert without_deterministic_kernel(learning) == ()


def test_keras_upsampling_is_free_of_both():
    layer = keras.layers.UpSampling2D(interpolation="nearest")
    graph = graph_of(layer)
    assert without_xla_kernel(graph) == without_deterministic_kernel(graph) == ()
