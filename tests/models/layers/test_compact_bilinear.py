"""The sketch against a vector by hand, NumPy, and the kernel it stands for."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.models.layers import (
    CompactBilinearPooling2D,
    DescriptorNormalization,
)


def sketch_numpy(x, hashes, signs, dimension):
    """Give phi of (C,) by a circular convolution, without a Fourier transform."""
    psi = np.zeros((2, dimension))
    for k in (0, 1):
        for value, place, sign in zip(x, hashes[k], signs[k], strict=True):
            psi[k, place] += sign * value
    return np.array(
        [
            sum(psi[0, i] * psi[1, (j - i) % dimension] for i in range(dimension))
            for j in range(dimension)
        ]
    )


def test_vector_by_hand():
    layer = CompactBilinearPooling2D(4)
    layer.build((None, None, None, 3))
    layer.hashes.assign([[0, 1, 3], [2, 0, 2]])
    layer.signs.assign([[1, -1, 1], [1, 1, -1]])
    found = layer(np.array([1.0, 2.0, 3.0]).reshape(1, 1, 1, 3))
    np.testing.assert_allclose(found, [[2, -10, -2, 10]], atol=1e-5)


@pytest.mark.parametrize("dimension", [7, 16])
def test_equals_numpy_summed_over_pixels(dimension):
    maps = np.random.default_rng(2).normal(size=(2, 3, 4, 5))
    layer = CompactBilinearPooling2D(dimension, seed=3)
    found = layer(maps)
    hashes, signs = layer.hashes.numpy(), layer.signs.numpy()
    expected = [
        sum(sketch_numpy(x, hashes, signs, dimension) for x in image.reshape(-1, 5))
        for image in maps
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_mean_over_hashes_is_the_squared_product():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 6))
    maps = np.stack([x, y]).reshape(2, 1, 1, 6)
    layer = CompactBilinearPooling2D(32)
    layer.build(maps.shape)
    products = []
    for _ in range(400):
        layer.hashes.assign(rng.integers(32, size=(2, 6)))
        layer.signs.assign(rng.choice([-1.0, 1.0], size=(2, 6)))
        a, b = layer(maps).numpy()
        products.append(a @ b)
    error = np.std(products) / np.sqrt(len(products))
    assert abs(np.mean(products) - (x @ y) ** 2) < 4 * error


def test_same_seed_gives_the_same_hashes_and_nothing_to_train():
    maps = np.random.default_rng(2).normal(size=(1, 3, 4, 5))
    layers = [CompactBilinearPooling2D(16, seed=s) for s in (1, 1, 2)]
    same, again, other = (layer(maps).numpy() for layer in layers)
    np.testing.assert_array_equal(same, again)
    assert np.abs(same - other).max() > 0.1
    assert not layers[0].trainable_weights


def test_half_precision_computes_in_float32(tmp_path):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        image = keras.Input((3, 4, 5))
        x = CompactBilinearPooling2D(16, seed=3)(image)
        model = keras.Model(image, DescriptorNormalization()(x))
    finally:
        keras.config.set_dtype_policy(policy)
    maps = 100 * np.random.default_rng(2).normal(size=(2, 3, 4, 5))
    assert model(maps).dtype == "float32"
    assert np.isfinite(model(maps)).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(maps), model(maps))


def test_normalized_descriptor_has_length_one_and_finite_gradient():
    x = tf.constant([[4.0, -9.0, 0.0], [0.0, 0.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = DescriptorNormalization()(x)
    np.testing.assert_allclose(found[0], [2 / 13**0.5, -3 / 13**0.5, 0], atol=1e-6)
    assert np.isfinite(tape.gradient(found, x)).all()


def test_dimension_must_be_positive():
    with pytest.raises(ValueError, match="dimension=0"):
        CompactBilinearPooling2D(0)


def test_graph_has_no_transform_that_other_engines_lack():
    layer = CompactBilinearPooling2D(16)
    maps = tf.TensorSpec((None, None, None, 5), tf.float32)
    graph = tf.function(layer).get_concrete_function(maps).graph
    types = {operation.type for operation in graph.get_operations()}
    assert not types & {"RFFT", "IRFFT", "Complex", "Real", "Imag"}
