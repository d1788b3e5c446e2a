"""A temperature fitted to a model that is too sure of itself."""

import keras
import numpy as np
import pytest

from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.calibration import Calibration
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import LoadedExample
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.models.temperature import with_temperature
from defectkeras.workflows.trust.calibration import calibrate
from defectkeras.workflows.trust.held_out import HeldOut

STEEPNESS = 2.0


def slope_model(steepness):
    """Logit = steepness * (2 x - 1), of each pixel alone."""
    image = keras.Input((None, None, 1))
    model = keras.Model(image, keras.layers.Conv2D(1, 1)(image))
    model.set_weights([np.full((1, 1, 1, 1), 2 * steepness), np.full(1, -steepness)])
    return model


def draw_example(seed, shape=(160, 230)):
    """Classes drawn with the probability sigmoid(STEEPNESS * (2 x - 1))."""
    rng = np.random.default_rng(seed)
    micrograph = Micrograph(rng.random(shape, np.float32), Calibration(2.0), "noise")
    logits = STEEPNESS * (2 * normalize_percentile(micrograph.pixels) - 1)
    class_map = (rng.random(shape) < 1 / (1 + np.exp(-logits))).astype(np.int32)
    class_map[:20] = NOT_ANNOTATED
    return LoadedExample(micrograph, class_map)


def test_too_sure_a_model_is_mended():
    model = slope_model(4 * STEEPNESS)
    found = calibrate([HeldOut(model, (draw_example(0), draw_example(1)))])
    calibrated = with_temperature(model, found["temperature"])
    assert found["temperature"] == pytest.approx(4, rel=0.05)
    assert found["pixels"] == 2 * 140 * 230
    assert found["calibration_error_before"] > 0.15
    assert found["calibration_error_after"] < 0.01
    tiles = np.random.default_rng(0).random((1, 32, 48, 1), dtype=np.float32)
    np.testing.assert_allclose(
        calibrated(tiles), model(tiles) / found["temperature"], rtol=1e-5
    )


def test_eight_views_of_pixels_that_stand_alone_say_the_same():
    held_out = [HeldOut(slope_model(STEEPNESS), (draw_example(2),))]
    one = calibrate(held_out)
    eight = calibrate(held_out, symmetries="square")
    assert eight["temperature"] == pytest.approx(one["temperature"], rel=1e-3)


def test_examples_are_resampled_and_the_draw_is_the_same_again():
    held_out = [HeldOut(slope_model(STEEPNESS), (draw_example(3),))]
    found = calibrate(held_out, target_pixel_size_nm=4.0)
    assert 0.2 < found["pixels"] / (140 * 230) < 0.3
    assert calibrate(held_out, target_pixel_size_nm=4.0) == found


def test_folds_are_judged_by_the_model_that_has_not_seen_them():
    right, steep = slope_model(STEEPNESS), slope_model(4 * STEEPNESS)
    folds = [HeldOut(right, (draw_example(4),)), HeldOut(steep, (draw_example(5),))]
    found = calibrate(folds, split="folds")
    assert found["split"] == "folds"
    assert found["pixels"] == 2 * 140 * 230
    alone = [calibrate([fold])["temperature"] for fold in folds]
    assert alone[0] < found["temperature"] < alone[1]
