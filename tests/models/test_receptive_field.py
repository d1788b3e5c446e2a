"""What the graph tells against what an impulse in the input changes."""

import keras
import numpy as np
import pytest

from defectkeras.models.build import build_model
from defectkeras.models.layers import (
    AtrousMaxPooling2D,
    BilinearUpsampling2D,
    CompactBilinearPooling2D,
    DepthToSpace2D,
    ResizeLike,
    SymmetricPadding2D,
)
from defectkeras.models.receptive_field import (
    idle_rates,
    model_stride,
    receptive_field_px,
)

LAYERS = keras.layers


def conv(kernel=3, **arguments):
    arguments = {"filters": 2, "padding": "same", "use_bias": False} | arguments
    return LAYERS.Conv2D(kernel_size=kernel, **arguments)


CHAINS = {
    "dilated": [conv(3, dilation_rate=3), conv(5)],
    "strided": [conv(3, strides=2), conv(3), LAYERS.UpSampling2D(2)],
    "even kernel": [conv(4), conv(2, strides=2), LAYERS.UpSampling2D(2)],
    "pools": [
        LAYERS.MaxPooling2D(2),
        conv(3),
        LAYERS.MaxPooling2D(3, strides=2, padding="same"),
        LAYERS.UpSampling2D(4),
    ],
    "padded": [
        LAYERS.ZeroPadding2D(((1, 2), (1, 2))),
        conv(5, strides=2, padding="valid"),
        BilinearUpsampling2D(2),
    ],
    "mirrored": [SymmetricPadding2D(1), conv(3, padding="valid")],
    "transposed": [
        conv(3, strides=2),
        LAYERS.Conv2DTranspose(2, 4, strides=2, padding="same", use_bias=False),
        conv(3, strides=2),
        LAYERS.Conv2DTranspose(2, 2, strides=2, use_bias=False),
    ],
    "atrous pool": [
        conv(3, strides=2),
        AtrousMaxPooling2D(3, 2),
        BilinearUpsampling2D(2),
    ],
    "subpixel": [conv(3, strides=4), conv(3, filters=32), DepthToSpace2D(4)],
}


def build(chain):
    x = image = keras.Input((None, None, 1))
    for layer in chain:
        x = layer.__class__.from_config(layer.get_config())(x)
    return keras.Model(image, x)


def farthest_touched(model, size=96):
    """Give the largest distance of an input row to an output row that it changes."""
    for weight in model.trainable_weights:
        weight.assign(np.ones(weight.shape))
    impulses = np.zeros((size, size, 16, 1), np.float32)
    impulses[np.arange(size), np.arange(size)] = 1.0
    touched = model.predict(impulses, verbose=0).max(axis=(2, 3)) > 0
    inputs, outputs = np.nonzero(touched)
    inside = (outputs >= 40) & (outputs < 56)
    return np.abs(inputs - outputs)[inside].max()


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_nothing_beyond_it_matters_and_it_is_not_much_too_wide(chain):
    model = build(chain)
    radius = receptive_field_px(model) // 2
    farthest = farthest_touched(model)
    assert farthest <= radius <= farthest + model_stride(model)


FOUND_BY_HAND = [
    ("defectsegnet", {}, 8, 103),
    ("fcn", {"filters": 4}, 32, 491),
    ("patch_classifier", {"filters": 4}, 1, 45),
    ("segnet", {"filters": 4}, 32, 423),
    ("segnet_basic", {"filters": 4}, 16, 211),
    ("unet", {"filters": 4}, 16, 215),
]
"""Architecture, arguments, stride and receptive field, by impulses or on paper."""


@pytest.mark.parametrize(("name", "arguments", "stride", "side"), FOUND_BY_HAND)
def test_architectures_have_what_was_found_by_hand(name, arguments, stride, side):
    model = build_model(name, num_classes=2, **arguments)
    assert (model_stride(model), receptive_field_px(model)) == (stride, side)


def test_pool_over_the_whole_image_has_no_border_and_no_stride():
    image = keras.Input((None, None, 2))
    x = conv(3, strides=2)(image)
    pooled = LAYERS.GlobalAveragePooling2D(keepdims=True)(x)
    spread = ResizeLike()([conv(1)(pooled), x])
    model = keras.Model(image, BilinearUpsampling2D(2)(LAYERS.Add()([x, spread])))
    assert receptive_field_px(model) is None
    assert model_stride(model) == 2


def test_descriptor_of_the_whole_image_has_no_border():
    image = keras.Input((None, None, 2))
    gate = LAYERS.Dense(2)(CompactBilinearPooling2D(8)(image))
    gate = LAYERS.Reshape((1, 1, 2))(gate)
    model = keras.Model(image, LAYERS.Multiply()([image, gate]))
    assert receptive_field_px(model) is None
    assert model_stride(model) == 1


def test_map_resized_like_another_has_its_scale():
    image = keras.Input((None, None, 1))
    fine = conv(3, strides=2)(image)
    coarse = conv(3, strides=4)(fine)
    model = keras.Model(image, ResizeLike()([coarse, fine]))
    doubled = keras.Model(image, BilinearUpsampling2D(4)(coarse))
    assert receptive_field_px(model) == receptive_field_px(doubled)


def test_stride_is_that_of_the_smallest_map():
    image = keras.Input((None, None, 2))
    x = LAYERS.MaxPooling2D(2)(image)
    x = LAYERS.Conv2D(3, 3, strides=2, padding="same")(x)
    assert model_stride(keras.Model(image, LAYERS.UpSampling2D(4)(x))) == 4


@pytest.mark.parametrize("stride", [8, 16])
def test_published_rates_need_a_map_that_is_larger(stride):
    model = build_model(
        "deeplab_v3",
        num_classes=2,
        encoder="mobilenet_v2",
        encoder_alpha=0.35,
        output_stride=stride,
    )
    one, two, three = np.array([6, 12, 18]) * 16 // stride  # of a map
    assert idle_rates(model, 289) == ()  # a map of 19 or 37 px
    assert idle_rates(model, 288) == (three,)
    assert idle_rates(model, 96) == (one, two, three)


def test_rates_in_a_model_in_the_model_count():
    image = keras.Input((None, None, 1))
    inner = keras.Model(image, conv(3, dilation_rate=(5, 5))(image), name="encoder")
    x = inner(conv(3, strides=2)(image))
    assert idle_rates(keras.Model(image, x), 10) == (5,)
    assert idle_rates(keras.Model(image, x), 11) == ()


def test_models_in_a_model_are_looked_into():
    image = keras.Input((None, None, 1))
    fine = conv(3)(image)
    coarse = conv(5)(LAYERS.MaxPooling2D(4)(fine))
    encoder = keras.Model(image, [fine, coarse], name="encoder")
    flat = LAYERS.Concatenate()([fine, LAYERS.UpSampling2D(4)(coarse)])
    nested_fine, nested_coarse = encoder(image)
    nested = LAYERS.Concatenate()([nested_fine, LAYERS.UpSampling2D(4)(nested_coarse)])
    for output in (nested, nested_fine):
        model = keras.Model(image, output)
        assert model_stride(model) == 4
    for one, other in ((nested, flat), (nested_fine, fine)):
        reached = [receptive_field_px(keras.Model(image, x)) for x in (one, other)]
        assert reached[0] == reached[1]
