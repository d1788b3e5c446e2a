"""Weights find their layers, and a file that does not fit is told."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.encoders.build import build_encoder
from defectkeras.models.encoders.families import ENCODERS
from defectkeras.models.encoders.weights import adapt_first_convolution

SMALL = {"name": "mobilenet_v2", "alpha": 0.35}


@pytest.fixture(scope="module")
def own_file(tmp_path_factory):
    """Give a larger model that holds an encoder, and its file."""
    keras.utils.set_random_seed(4)
    encoder = build_encoder(**SMALL)
    x = keras.layers.Conv2D(3, 1)(encoder.output["stride_32"])
    model = keras.Model(encoder.input, x)
    path = tmp_path_factory.mktemp("own") / "model.keras"
    model.save(path)
    return path


def test_own_file_gives_its_weights_at_any_output_stride(own_file):
    loaded = keras.saving.load_model(own_file, compile=False)
    encoder = build_encoder(**SMALL, weights=str(own_file), output_stride=16)
    assert encoder.get_layer("encoder_block_6_expand").get_weights()[0].shape == (
        1,
        1,
        16,
        96,
    )
    for name in ("encoder_Conv1", "encoder_block_5_project_BN"):
        found = encoder.get_layer(name).get_weights()
        expected = loaded.get_layer(name).get_weights()
        assert all((f == e).all() for f, e in zip(found, expected, strict=True))


def test_own_file_from_before_the_names_had_a_prefix(monkeypatch, tmp_path):
    with monkeypatch.context() as before:
        before.setattr("defectkeras.models.encoders.build.PREFIX", "")
        older = build_encoder(**SMALL)
        older.save(tmp_path / "older.keras")
    encoder = build_encoder(**SMALL, weights=str(tmp_path / "older.keras"))
    assert encoder.get_layer("encoder_Conv1")
    for old, new in zip(older.get_weights(), encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"name": "mobilenet_v2", "alpha": 0.5},
            "block_1_project must have weights of",
        ),
        ({"name": "mobilenet_v3_small"}, "must hold the encoder mobilenet_v3_small"),
        (SMALL | {"input_shape": (None, None, 2)}, "same width and channels"),
    ],
)
def test_file_that_does_not_fit_is_told(own_file, arguments, message):
    with pytest.raises(ModelError, match=message):
        build_encoder(**arguments, weights=str(own_file))


def test_file_that_is_none_is_told(tmp_path):
    for name, content in [("a.keras", b"no zip"), ("a.txt", b"text")]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match="cannot be loaded"):
            build_encoder(**SMALL, weights=str(tmp_path / name))
    for word in (str(tmp_path / "none.keras"), "imagenett"):
        with pytest.raises(ModelError, match=r"must be 'imagenet' or .* Received: "):
            build_encoder(**SMALL, weights=word)


def test_first_convolution_of_a_resnet_by_hand():
    """Zero image: grey 0 minus each mean, times the kernel of each color."""
    rng = np.random.default_rng(6)
    kernel, bias = rng.normal(size=(7, 7, 3, 5)), rng.normal(size=5)
    family = ENCODERS["resnet50"]
    bgr_means = np.array([103.939, 116.779, 123.68])
    for level in (0.0, 0.6):
        expected = np.einsum("yxcf,c->f", kernel, 255 * level - bgr_means) + bias
        grey, shifted = adapt_first_convolution([kernel, bias], family, 1)
        seen = 255 * level - bgr_means.mean()
        np.testing.assert_allclose(grey.sum(axis=(0, 1, 2)) * seen + shifted, expected)
    colored, same = adapt_first_convolution([kernel, bias], family, 3)
    np.testing.assert_array_equal(colored, kernel[:, :, ::-1])
    np.testing.assert_array_equal(same, bias)


def test_saved_encoder_loads_with_its_operations(tmp_path):
    """MobileNetV3 has arithmetic without a layer in it."""
    encoder = build_encoder("mobilenet_v3_small", (64, 96, 1), output_stride=16)
    encoder.save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras", compile=False)
    image = np.random.default_rng(1).random((1, 64, 96, 1), np.float32)
    expected, found = encoder(image), loaded(image)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])
