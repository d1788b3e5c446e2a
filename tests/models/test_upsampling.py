"""Every way of doubling a map: shape, channels, names, and what it computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import ModelError
from defectkeras.models.upsampling import UPSAMPLING_METHODS, halve, upsample

X = np.array([[1, 2], [3, 4]], dtype=np.float32)[None, :, :, None]


def build(method, filters, channels=6):
    """Halve an image, bring it to the channels and double it."""
    image = keras.Input((None, None, 5))
    x, indices = halve(image, method, name="down")
    x = keras.layers.Conv2D(channels, 3, padding="same", name="middle")(x)
    x = upsample(x, method, filters=filters, name="up", indices=indices)
    return keras.Model(image, x)


def parameters_of_upsampling(model):
    return model.count_params() - model.get_layer("middle").count_params()


@pytest.mark.parametrize("method", UPSAMPLING_METHODS)
@pytest.mark.parametrize("filters", [3, 6, 8])
def test_size_doubles_and_channels_are_as_asked(method, filters):
    model = build(method, filters)
    assert model.output_shape == (None, None, None, filters)
    image = np.random.default_rng(1).random((2, 6, 10, 5), dtype=np.float32)
    assert model(image).shape == (2, 6, 10, filters)
    assert model.get_layer("up")


@pytest.mark.parametrize("method", UPSAMPLING_METHODS)
def test_saved_model_takes_images_of_any_size(method, tmp_path):
    model = build(method, 3)
    archive = keras.export.ExportArchive()
    archive.add_endpoint(
        name="serve",
        fn=lambda image: model(image, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 5), tf.float32, "image")],
    )
    archive.write_out(tmp_path / "1", verbose=False)
    served = tf.saved_model.load(tmp_path / "1").signatures["serve"]
    for shape in ((1, 4, 6, 5), (2, 8, 2, 5)):
        image = np.random.default_rng(1).random(shape, dtype=np.float32)
        (result,) = served(image=tf.constant(image)).values()
        np.testing.assert_allclose(result, model(image), atol=1e-5)


@pytest.mark.parametrize(
    ("method", "large"),
    [
        ("bed_of_nails", [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]),
        ("nearest", [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]),
        ("max_unpooling", [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]),
    ],
)
def test_worked_vectors(method, large):
    encoded = [[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]
    encoded = np.array(encoded, dtype=np.float32)[None, :, :, None]
    pooled, indices = halve(encoded, method, name="down")
    np.testing.assert_array_equal(pooled[0, :, :, 0], [[5, 6], [7, 8]])
    result = upsample(X, method, filters=1, name="up", indices=indices)
    np.testing.assert_array_equal(result[0, :, :, 0], large)


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("bed_of_nails", 6 * 3 + 3),
        ("nearest", 6 * 3 + 3),
        ("bilinear", 6 * 3 + 3),
        ("max_unpooling", (6 * 5 + 5) + (5 * 3 + 3)),  # five channels were pooled
        ("transposed", 4 * 6 * 3 + 3),
        ("subpixel", 9 * 6 * 4 * 3 + 4 * 3),
    ],
)
def test_parameters(method, parameters):
    assert parameters_of_upsampling(build(method, filters=3)) == parameters


@pytest.mark.parametrize("method", ["bed_of_nails", "nearest", "bilinear"])
def test_no_weights_where_the_channels_stay(method):
    assert parameters_of_upsampling(build(method, filters=6)) == 0


def test_unknown_method_names_the_nearest():
    with pytest.raises(ModelError, match="Did you mean 'bilinear'"):
        build("billinear", filters=3)


def test_max_unpooling_needs_indices():
    with pytest.raises(ValueError, match="must get `indices`"):
        upsample(X, "max_unpooling", filters=1, name="up")
