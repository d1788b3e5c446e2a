"""Pooling with indices and unpooling against TensorFlow and worked values."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.models.layers import MaxPoolingWithIndices, MaxUnpooling2D

GEOMETRIES = [
    ((2, 2), (2, 2), "same"),
    ((2, 2), (2, 2), "valid"),
    ((3, 3), (3, 3), "same"),
    ((3, 2), (2, 1), "same"),
    ((3, 3), (2, 2), "valid"),
    ((2, 3), (3, 4), "same"),
    ((1, 2), (3, 2), "valid"),
]
SIZES = [(12, 8), (7, 9)]

geometries = pytest.mark.parametrize(("pool", "strides", "padding"), GEOMETRIES)


def draw(*shape, dtype="float32", seed=0):
    """Draw a few levels only, so that many windows have ties."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)


def argmax(images, pool, strides, padding):
    return tf.nn.max_pool_with_argmax(images, pool, strides, padding.upper())


def scatter(values, flat, shape):
    """Add values to their flat places, image by image, in NumPy."""
    values = np.asarray(values, dtype=float)
    result = np.zeros((shape[0], np.prod(shape[1:])))
    for image, places, numbers in zip(result, flat, values, strict=True):
        np.add.at(image, np.ravel(places), np.ravel(numbers))
    return result.reshape(shape)


@geometries
@pytest.mark.parametrize("size", SIZES)
def test_pooling_is_that_of_tensorflow(pool, strides, padding, size):
    images = draw(2, *size, 3)
    expected = argmax(images, pool, strides, padding)
    found = MaxPoolingWithIndices(pool, strides, padding, indices="flat")(images)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@geometries
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("indices", ["window", "flat"])
def test_unpooling_is_a_scatter(pool, strides, padding, size, indices):
    images = draw(2, *size, 3)
    pooled, places = MaxPoolingWithIndices(pool, strides, padding, indices)(images)
    values = draw(*pooled.shape, seed=1)
    unpooled = MaxUnpooling2D(pool, strides, padding, indices)([values, places, images])
    flat = argmax(images, pool, strides, padding)[1]
    np.testing.assert_array_equal(unpooled, scatter(values, flat, images.shape))


def test_unpooling_of_the_worked_example():
    image = np.array([[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]], "f")
    pooled, codes = MaxPoolingWithIndices()(image[None, :, :, None])
    np.testing.assert_array_equal(pooled[0, :, :, 0], [[5, 6], [7, 8]])
    np.testing.assert_array_equal(codes[0, :, :, 0], [[3, 0], [2, 3]])
    values = np.array([[1, 2], [3, 4]], "f")[None, :, :, None]
    expected = [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]
    unpooled = MaxUnpooling2D()([values, codes])
    np.testing.assert_array_equal(unpooled[0, :, :, 0], expected)
    flat = np.array([[5, 2], [12, 15]])[None, :, :, None]
    unpooled = MaxUnpooling2D(indices="flat")([values, flat])
    np.testing.assert_array_equal(unpooled[0, :, :, 0], expected)


def test_flat_places_may_lie_anywhere():
    """As tensorflow-addons takes them, also outside of their own window."""
    values = np.arange(1, 9, dtype=np.float32).reshape(1, 2, 2, 2)
    flat = np.array([0, 3, 4, 7, 8, 11, 12, 15]).reshape(1, 2, 2, 2)
    unpooled = MaxUnpooling2D((2, 1), (2, 1), indices="flat")([values, flat])
    expected = [1, 0, 0, 2, 3, 0, 0, 4, 5, 0, 0, 6, 7, 0, 0, 8]
    np.testing.assert_array_equal(unpooled, np.reshape(expected, (1, 4, 2, 2)))
    values, flat = np.array([13.0, 4.0], "f"), np.array([1, 6])
    unpooled = MaxUnpooling2D(indices="flat")(
        [values.reshape(1, 1, 2, 1), flat.reshape(1, 1, 2, 1)]
    )
    np.testing.assert_array_equal(np.ravel(unpooled), [0, 13, 0, 0, 0, 0, 4, 0])


def test_without_a_third_input_the_size_is_a_multiple():
    images = draw(1, 7, 9, 2)
    pooled, codes = MaxPoolingWithIndices()(images)
    unpooled = MaxUnpooling2D()([pooled, codes])
    assert unpooled.shape == (1, 8, 10, 2)
    exact = MaxUnpooling2D()([pooled, codes, images])
    np.testing.assert_array_equal(unpooled[:, :7, :9], exact)
    pooled, codes = MaxPoolingWithIndices(3, 2, "valid")(images)
    assert MaxUnpooling2D(3, 2, "valid")([pooled, codes]).shape == (1, 7, 9, 2)


def test_nan_loses_against_numbers():
    nan, low = np.nan, -np.inf
    image = np.array([[nan, 1, nan, nan, low], [2, nan, nan, nan, low]], "f")
    pooled, codes = MaxPoolingWithIndices()(image[None, :, :, None])
    np.testing.assert_array_equal(np.ravel(pooled), [2, nan, low])
    np.testing.assert_array_equal(np.ravel(codes), [2, 0, 0])
    unpooled = MaxUnpooling2D()([pooled, codes])
    expected = [[0, 0, nan, 0, low, 0], [2, 0, 0, 0, 0, 0]]
    np.testing.assert_array_equal(unpooled[0, :, :, 0], expected)


def gradients(function, *tensors, upstream=None):
    tensors = [tf.convert_to_tensor(t) for t in tensors]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    return tape.gradient(result, tensors, output_gradients=upstream)


@geometries
@pytest.mark.parametrize(
    ("jit_compile", "training"), [(False, None), (True, True), (False, False)]
)
def test_gradients_go_through_the_maxima(pool, strides, padding, jit_compile, training):
    images = draw(2, 7, 9, 3)
    layer = MaxPoolingWithIndices(pool, strides, padding)
    pooled, codes = layer(images)
    flat = argmax(images, pool, strides, padding)[1].numpy()
    upstream = draw(*pooled.shape, seed=1)

    @tf.function(jit_compile=jit_compile)
    def of_pooling(images):
        return gradients(
            lambda x: layer(x, training=training)[0], images, upstream=upstream
        )

    (found,) = of_pooling(images)
    np.testing.assert_array_equal(found, scatter(upstream, flat, images.shape))

    unpool = MaxUnpooling2D(pool, strides, padding)
    upstream = draw(*images.shape, seed=2)

    @tf.function(jit_compile=jit_compile)
    def of_unpooling(values):
        return gradients(
            lambda v: unpool([v, codes, images], training=training),
            values,
            upstream=upstream,
        )

    (found,) = of_unpooling(pooled)
    expected = [np.ravel(u)[f] for u, f in zip(upstream, flat, strict=True)]
    np.testing.assert_array_equal(found, expected)


def test_gradient_of_a_gradient():
    images = draw(1, 4, 6, 1)
    pooled, codes = MaxPoolingWithIndices()(images)

    def energy(values):
        return tf.reduce_sum(MaxUnpooling2D()([values, codes]) ** 3)

    (second,) = gradients(lambda v: gradients(energy, v)[0], pooled)
    np.testing.assert_allclose(second, 6 * pooled, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("indices", ["window", "flat"])
def test_dtypes(dtype, indices):
    images = tf.cast(draw(1, 6, 8, 2), dtype)
    pool = MaxPoolingWithIndices(indices=indices, dtype=dtype)
    pooled, places = pool(images)
    assert pooled.dtype == dtype
    assert places.dtype == {"window": "uint8", "flat": "int64"}[indices]
    assert [t.dtype for t in pool(keras.Input((6, 8, 2), dtype=dtype))] == [
        dtype,
        places.dtype.name,
    ]
    unpooled = MaxUnpooling2D(indices=indices, dtype=dtype)([pooled, places])
    assert unpooled.dtype == dtype
    expected = scatter(*argmax(images, 2, 2, "same"), images.shape)
    np.testing.assert_array_equal(tf.cast(unpooled, "float64"), expected)


def test_indices_survive_mixed_precision():
    """Above 2^11 a float16 would lose them."""
    images = tf.reshape(tf.range(64.0 * 96), (1, 64, 96, 1))
    policy = keras.DTypePolicy("mixed_float16")
    pooled, places = MaxPoolingWithIndices(indices="flat", dtype=policy)(images)
    expected = argmax(tf.cast(images, "float16"), 2, 2, "same")
    assert pooled.dtype == "float16"
    np.testing.assert_array_equal(places, expected[1])
    unpooled = MaxUnpooling2D(indices="flat", dtype=policy)([pooled, places])
    np.testing.assert_array_equal(unpooled, scatter(*expected, images.shape))


def test_large_windows_have_wider_codes():
    pooled, codes = MaxPoolingWithIndices((17, 16))(draw(1, 17, 32, 1))
    assert codes.dtype == "int32"
    assert pooled.shape == (1, 1, 2, 1)


@pytest.mark.parametrize(("pool", "strides", "padding"), GEOMETRIES[3:6])
def test_free_size_is_saved_and_loaded(pool, strides, padding, tmp_path):
    image = keras.Input((None, None, 3))
    pooled, codes = MaxPoolingWithIndices(pool, strides, padding)(image)
    assert pooled.shape == (None, None, None, 3)
    unpool = MaxUnpooling2D(pool, strides, padding)
    model = keras.Model(image, [unpool([pooled, codes, image]), codes])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    archive = keras.export.ExportArchive()
    spec = tf.TensorSpec((None, None, None, 3), tf.float32)
    archive.add_endpoint(
        "serve", lambda x: model(x, training=False), input_signature=[spec]
    )
    archive.write_out(tmp_path / "1", verbose=False)
    served = tf.saved_model.load(tmp_path / "1").serve
    for size in SIZES:
        images = draw(2, *size, 3)
        for other in (loaded, served):
            for found, expected in zip(other(images), model(images), strict=True):
                np.testing.assert_array_equal(found, expected)


def test_static_shapes():
    image = keras.Input((7, 10, 3))
    pooled, codes = MaxPoolingWithIndices(3, 2, "valid")(image)
    assert pooled.shape == codes.shape == (None, 3, 4, 3)
    unpool = MaxUnpooling2D(3, 2, "valid")
    assert unpool([pooled, codes]).shape == (None, 7, 9, 3)
    assert unpool([pooled, codes, image]).shape == (None, 7, 10, 3)


def test_wrong_arguments_are_told():
    with pytest.raises(ValueError, match="`pool_size` must be at least 1"):
        MaxPoolingWithIndices(0)
    with pytest.raises(ValueError, match="`strides` must be at least 1"):
        MaxUnpooling2D(2, (2, 0))
    with pytest.raises(ValueError, match="'SAME'"):
        MaxUnpooling2D(padding="SAME")
    with pytest.raises(ValueError, match="'tilted'"):
        MaxUnpooling2D(indices="tilted")
    values = np.ones((1, 2, 3, 1), "f")
    with pytest.raises(ValueError, match="must be integers"):
        MaxUnpooling2D()([values, values])
    with pytest.raises(ValueError, match="one shape"):
        MaxUnpooling2D()([values, np.ones((1, 3, 2, 1), "uint8")])
