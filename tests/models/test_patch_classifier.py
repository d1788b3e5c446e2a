"""Both forms of the patch classifier: equal outputs, window by window."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.patch_classifier import (
    LEVELS_OF_PATCH,
    build_patch_classifier,
    build_window_classifier,
)
from defectkeras.prediction.sliding_window import slide_window


def both_forms(patch_size, num_classes=3, filters=4):
    keras.utils.set_random_seed(1)
    arguments = {
        "num_classes": num_classes,
        "patch_size": patch_size,
        "filters": filters,
    }
    image, window = (
        build_patch_classifier(**arguments),
        build_window_classifier(**arguments),
    )
    for weight in image.weights:  # no bias is 0
        weight.assign_add(keras.random.normal(weight.shape, stddev=0.1))
    window.set_weights(image.get_weights())
    return image, window


@pytest.mark.parametrize("patch_size", [9, 21, 45])
def test_all_pixels_at_once_are_all_windows(patch_size):
    image_form, window_form = both_forms(patch_size)
    image = np.random.default_rng(1).random((2, 14, 14, 1), dtype=np.float32)
    slide = slide_window(
        lambda windows: window_form(windows).numpy()[:, 0, 0],
        patch_size=patch_size,
        batch_size=150,
    )
    np.testing.assert_allclose(image_form(image), slide(image), atol=1e-5)


@pytest.mark.parametrize("patch_size", LEVELS_OF_PATCH)
def test_window_ends_in_one_pixel(patch_size):
    model = build_window_classifier(num_classes=2, patch_size=patch_size, filters=2)
    assert model.output_shape == (None, 1, 1, 2)
    levels = [layer for layer in model.layers if layer.name.startswith("conv_")]
    assert len(levels) == LEVELS_OF_PATCH[patch_size]


def test_pixel_depends_on_its_window_and_nothing_else():
    image_form, _ = both_forms(21)
    image = np.random.default_rng(1).random((1, 41, 43, 1), dtype=np.float32)
    expected = image_form(image).numpy()[0, 20, 21]
    changed = np.zeros_like(image)
    changed[:, 10:31, 11:32] = image[:, 10:31, 11:32]
    np.testing.assert_allclose(image_form(changed)[0, 20, 21], expected, atol=1e-6)
    changed[0, 10, 31] += 9
    assert not np.allclose(image_form(changed)[0, 20, 21], expected, atol=1e-4)


def test_unknown_patch_size_is_told():
    for build in (build_patch_classifier, build_window_classifier):
        with pytest.raises(ModelError, match=r"\[9, 21, 45, 93\].*patch_size=65"):
            build(num_classes=2, patch_size=65)
