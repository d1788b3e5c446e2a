"""Upsampling against worked vectors, other implementations, and as SavedModels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.models.layers import (
    BedOfNails2D,
    BilinearUpsampling2D,
    DepthToSpace2D,
    ResizeLike,
)

LAYERS = [BedOfNails2D, BilinearUpsampling2D, DepthToSpace2D]
X = [[1, 2], [3, 4]]


def draw(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def as_map(rows):
    return np.asarray(rows, dtype=np.float32)[None, :, :, None]


@pytest.mark.parametrize(
    ("layer", "small", "large"),
    [
        (
            BedOfNails2D(),
            as_map(X),
            [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]],
        ),
        (
            BilinearUpsampling2D(),
            as_map(X),
            [
                [1, 1.25, 1.75, 2],
                [1.5, 1.75, 2.25, 2.5],
                [2.5, 2.75, 3.25, 3.5],
                [3, 3.25, 3.75, 4],
            ],
        ),
        (
            DepthToSpace2D(),
            np.arange(1, 17, dtype=np.float32).reshape(1, 2, 2, 4),
            [[1, 2, 5, 6], [3, 4, 7, 8], [9, 10, 13, 14], [11, 12, 15, 16]],
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_worked_vectors(layer, small, large):
    np.testing.assert_array_equal(layer(small)[0, :, :, 0], large)


def test_bed_of_nails_is_a_transposed_convolution():
    image = draw(2, 3, 5, 4)
    kernel = np.zeros((3, 3, 4, 4), dtype=np.float32)
    kernel[0, 0] = np.eye(4)
    expected = tf.nn.conv2d_transpose(image, kernel, (2, 9, 15, 4), 3)
    np.testing.assert_array_equal(BedOfNails2D(3)(image), expected)


@pytest.mark.parametrize("factor", [2, 4, 16])
def test_bilinear_is_that_of_tensorflow(factor):
    image = draw(2, 3, 5, 4)
    expected = tf.image.resize(image, (3 * factor, 5 * factor))
    np.testing.assert_array_equal(BilinearUpsampling2D(factor)(image), expected)


@pytest.mark.parametrize("size", [(9, 10), (2, 3), (3, 5), (31, 4)])
def test_resize_like_takes_the_size_of_another_map(size):
    image = draw(2, 3, 5, 4)
    resized = ResizeLike()([image, draw(2, *size, 1)])
    np.testing.assert_array_equal(resized, tf.image.resize(image, size))


@pytest.mark.parametrize("kind", LAYERS)
def test_shape_of_unknown_size(kind):
    layer = kind(3)
    channels = 2 if kind is DepthToSpace2D else 18
    assert layer(keras.Input((None, 5, 18))).shape == (None, None, 15, channels)
    assert layer.compute_output_shape((4, 5, None, 18)) == (4, 15, None, channels)


def test_shape_of_resize_like():
    maps = [keras.Input((None, 5, 8)), keras.Input((None, 12, 3))]
    assert ResizeLike()(maps).shape == (None, None, 12, 8)


@pytest.mark.parametrize("kind", LAYERS)
def test_config_makes_the_same_layer(kind):
    again = keras.layers.deserialize(keras.layers.serialize(kind(3, name="up")))
    assert (type(again), again.factor, again.name) == (kind, 3, "up")


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_half_and_near(kind, policy):
    image = draw(1, 3, 5, 4)
    half = kind(dtype=policy)(image)
    assert half.dtype == policy.removeprefix("mixed_")
    near = 0.02 * np.abs(image).max()
    np.testing.assert_allclose(tf.cast(half, "float32"), kind()(image), atol=near)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_resize_like_keeps_half_precision(policy):
    resized = ResizeLike(dtype=policy)([draw(1, 3, 5, 4), draw(1, 6, 7, 2)])
    assert resized.dtype == policy.removeprefix("mixed_")


def model_of_all():
    """Give a model in which every layer of this file stands."""
    image = keras.Input((None, None, 4), name="image")
    x = BilinearUpsampling2D(2)(image)
    x = DepthToSpace2D(2)(x)
    x = ResizeLike()([x, BedOfNails2D(3)(image)])
    return keras.Model(image, x)


def test_saved_model_takes_images_of_any_size(tmp_path):
    model = model_of_all()
    archive = keras.export.ExportArchive()
    archive.add_endpoint(
        name="serve",
        fn=lambda image: model(image, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 4), tf.float32, "image")],
    )
    archive.write_out(tmp_path / "1", verbose=False)
    served = tf.saved_model.load(tmp_path / "1").signatures["serve"]
    for image in (draw(1, 3, 5, 4), draw(2, 6, 2, 4)):
        (result,) = served(image=tf.constant(image)).values()
        assert result.shape == (len(image), *(3 * s for s in image.shape[1:3]), 1)
        np.testing.assert_array_equal(result, model(image))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradient_is_that_of_the_linear_map(jit_compile):
    """For a linear f, f(x) . w = x . gradient, also of a size that comes late."""
    model = model_of_all()

    @tf.function(
        jit_compile=jit_compile,
        input_signature=[tf.TensorSpec((None, None, None, 4), tf.float32)],
    )
    def value_and_gradient(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            value = tf.reduce_sum(tf.cumsum(model(image), axis=1))
        return value, tape.gradient(value, image)

    image = draw(2, 3, 5, 4)
    value, gradient = value_and_gradient(image)
    assert float(value) == pytest.approx(float(np.vdot(image, gradient)), rel=1e-3)
    assert np.all(np.asarray(gradient) != 0)


def test_bad_input_is_told():
    with pytest.raises(ValueError, match=r"`factor` must be at least 1.*factor=0"):
        BedOfNails2D(0)
    with pytest.raises(ValueError, match=r"multiple of 4.*Received: 6"):
        DepthToSpace2D()(keras.Input((3, 5, 6)))
