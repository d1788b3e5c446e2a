"""Encoders against keras.applications, and dense maps against strided ones."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from defectkeras.core.errors import ModelError
from defectkeras.models.encoders.build import build_encoder
from defectkeras.models.encoders.families import ENCODERS

APPLICATIONS = {
    "resnet50": (keras.applications.resnet, 23_587_712),
    "resnet101": (keras.applications.resnet, 42_658_176),
    "xception": (keras.applications.xception, 20_861_480),
    "mobilenet_v2": (keras.applications.mobilenet_v2, 2_257_984),
    # what MobileNetV3 rescales within itself in Keras is what V2 wants before it
    "mobilenet_v3_small": (keras.applications.mobilenet_v2, 939_120),
    "mobilenet_v3_large": (keras.applications.mobilenet_v2, 2_996_352),
    "efficientnet_lite0": (None, 3_413_024),
}
ENCODERS_AS_THEY_ARE = dict(ENCODERS)
LARGE = ["resnet50", "resnet101", "xception"]
SLOW_IF_LARGE = [
    pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in ENCODERS
]


def draw_image(height, width, channels=3):
    return np.random.default_rng(7).random((1, height, width, channels), np.float32)


def randomize(model, seed=5):
    """Set every weight to its own number, so that no map dies or explodes."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        fan_in = max(np.prod(weight.shape[:-1]), 1)
        if "depthwise" in weight.path:
            fan_in = np.prod(weight.shape[:2])
        values = rng.normal(0, np.sqrt(2 / fan_in), weight.shape)
        if weight.name in ("gamma", "moving_variance"):
            values = rng.uniform(0.8, 1.2, weight.shape)
        elif weight.name in ("beta", "moving_mean", "bias"):
            values = rng.normal(0, 0.1, weight.shape)
        weight.assign(values)
    return model


def of_any_size(network, padded=()):
    """Give Keras' network for images of any size, some convolutions padded."""
    config = network.get_config()
    config["layers"][0]["config"]["batch_shape"] = (None, None, None, 3)
    for layer in config["layers"]:
        layer.pop("build_config", None)
        if layer["name"] in padded:
            layer["config"]["padding"] = "same"
    any_size = keras.Model.from_config(config)
    any_size.set_weights(network.get_weights())
    return any_size


@pytest.fixture
def random_imagenet(monkeypatch):
    """Let the families hand out random weights in place of a download."""
    networks = {}

    def patch(name):
        def build(*, weights, **arguments):
            network = ENCODERS_AS_THEY_ARE[name].build(weights=None, **arguments)
            networks[name] = randomize(network)
            return network

        family = dataclasses.replace(ENCODERS[name], build=build)
        monkeypatch.setitem(ENCODERS, name, family)
        return networks

    return patch


@pytest.mark.parametrize("name", SLOW_IF_LARGE)
def test_parameters_and_strides(name):
    encoder = build_encoder(name, (64, 96, 3))
    assert encoder.count_params() == APPLICATIONS[name][1]
    sizes = {stride: tuple(t.shape[1:3]) for stride, t in encoder.output.items()}
    assert sizes == {f"stride_{s}": (64 // s, 96 // s) for s in (2, 4, 8, 16, 32)}


@pytest.mark.parametrize(
    ("name", "output_stride"),
    [
        ("mobilenet_v2", 8),
        pytest.param("efficientnet_lite0", 16, marks=pytest.mark.slow),
        pytest.param("resnet50", 8, marks=pytest.mark.slow),
        pytest.param("xception", 8, marks=pytest.mark.slow),
    ],
)
def test_dense_maps_hold_the_strided_ones(name, output_stride, random_imagenet):
    """Not so MobileNetV3, whose squeeze-and-excitation averages over a whole map."""
    random_imagenet(name)
    strided = build_encoder(name, weights="imagenet")
    dense = build_encoder(name, weights="imagenet", output_stride=output_stride)
    image = draw_image(64, 96, 1)
    expected = strided(image)["stride_32"]
    found = dense(image)[f"stride_{output_stride}"]
    step = 32 // output_stride
    assert found.shape[1:3] == (64 // output_stride, 96 // output_stride)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        found[:, ::step, ::step], expected, rtol=1e-3, atol=1e-4 * scale
    )


@pytest.mark.slow
def test_xla_gives_equal_gradients():
    encoder = randomize(build_encoder("mobilenet_v2", alpha=0.35, output_stride=8))
    image, variables = (
        draw_image(32, 64, 1),
        [w.value for w in encoder.trainable_weights],
    )

    def gradients():
        with tf.GradientTape() as tape:
            energy = sum(tf.reduce_mean(m**2) for m in encoder(image).values())
        return tape.gradient(energy, variables)

    expected, found = gradients(), tf.function(gradients, jit_compile=True)()
    for weight, one, other in zip(
        encoder.trainable_weights, expected, found, strict=True
    ):
        largest = np.abs(one).max()
        assert largest > 0, weight.path
        np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-3 * largest)


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2",
        "mobilenet_v3_small",
        pytest.param("resnet50", marks=pytest.mark.slow),
        pytest.param("xception", marks=pytest.mark.slow),
    ],
)
def test_equals_keras_applications(name, random_imagenet):
    networks = random_imagenet(name)
    encoder = build_encoder(name, (None, None, 3), weights="imagenet")
    image = draw_image(96, 64)
    module = APPLICATIONS[name][0]
    wanted = module.preprocess_input(255 * image)
    expected = of_any_size(networks[name], padded=ENCODERS[name].pads_first)(wanted)
    expected = expected.numpy()
    found = encoder(image)["stride_32"]
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_lite0"])
def test_equal_channels_give_what_grey_gives(name, channels, random_imagenet):
    random_imagenet(name)
    grey = draw_image(64, 96, 1)
    colored = build_encoder(name, (None, None, 3), weights="imagenet")
    other = build_encoder(name, (None, None, channels), weights="imagenet")
    expected = colored(np.repeat(grey, 3, axis=3))["stride_16"]
    found = other(np.repeat(grey, channels, axis=3))["stride_16"]
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.slow
def test_grey_gives_what_grey_gives_where_means_differ(random_imagenet):
    """A ResNet subtracts another mean from each color; at the border zeros pad."""
    random_imagenet("resnet50")
    grey = draw_image(64, 96, 1)
    colored = build_encoder("resnet50", (None, None, 3), weights="imagenet")
    other = build_encoder("resnet50", weights="imagenet")
    inside = (0, slice(2, -2), slice(2, -2))
    expected = colored(np.repeat(grey, 3, axis=3))["stride_2"][inside]
    found = other(grey)["stride_2"][inside]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-2)


def test_layer_names_do_not_depend_on_what_was_built_before():
    names = [
        [layer.name for layer in build_encoder("mobilenet_v3_small").layers]
        for _ in range(2)
    ]
    assert names[0] == names[1]
    assert len(set(names[0])) == len(names[0])


@pytest.mark.slow
def test_multi_grid_widens_the_last_three_convolutions():
    encoder = build_encoder("resnet50", output_stride=16, multi_grid=(1, 2, 4))
    rates = [
        encoder.get_layer(f"encoder_conv5_block{i}_2_conv").dilation_rate
        for i in (1, 2, 3)
    ]
    assert rates == [(2, 2), (4, 4), (8, 8)]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("resnet5", {}, "Did you mean 'resnet50'"),
        ("mobilenet_v2", {"output_stride": 4}, "`output_stride` must be one of"),
        ("xception", {"alpha": 0.5}, "xception has no choice of width"),
        ("resnet50", {"multi_grid": (1, 2, 4)}, "output stride of 8 or 16"),
        ("resnet50", {"multi_grid": (1, 2)}, "three factors"),
        (
            "mobilenet_v2",
            {"multi_grid": (1, 2, 4), "output_stride": 8},
            "but for a ResNet",
        ),
        ("mobilenet_v2", {"input_shape": (40, 33, 1)}, r"Pad the image to \(64, 64\)"),
    ],
)
def test_bad_arguments_are_told(name, arguments, message):
    with pytest.raises(ModelError, match=message):
        build_encoder(name, **arguments)


def test_missing_connection_is_one_line(monkeypatch):
    def refuse(*_, **__):
        raise Exception("URL fetch failure on https://example.org: None -- no route")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", refuse)
    with pytest.raises(ModelError, match="mobilenet_v2 must be downloaded") as caught:
        build_encoder("mobilenet_v2", weights="imagenet")
    assert "\n" not in str(caught.value)


def test_slip_of_the_program_is_not_taken_for_a_missing_connection(monkeypatch):
    def fail(**_):
        raise RuntimeError("a slip")

    family = dataclasses.replace(ENCODERS["mobilenet_v2"], build=fail)
    monkeypatch.setitem(ENCODERS, "mobilenet_v2", family)
    with pytest.raises(RuntimeError, match="a slip"):
        build_encoder("mobilenet_v2")
