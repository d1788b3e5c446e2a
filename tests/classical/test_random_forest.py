"""A forest that learns from pixels: texture, balance, seed, unknown pixels."""

import numpy as np
import pytest

from defectkeras.classical.random_forest import filter_features, fit_random_forest
from defectkeras.core.arrays import NOT_ANNOTATED
from defectkeras.core.errors import TrainingError
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.prediction.predict import predict_image
from defectkeras.synthesis.synthesize import synthesize


def test_learns_discs(discs, draw, iou_of):
    image = draw(discs, noise=0.1)
    forest = fit_random_forest(
        [(image, discs.astype(np.int32))], num_classes=2, num_trees=20
    )
    shifted = np.roll(discs, (9, -13), axis=(0, 1))
    assert iou_of(forest, draw(shifted, noise=0.1), shifted) > 0.8


def test_same_seed_gives_the_same_forest(discs, draw):
    example = (draw(discs), discs.astype(np.int32))
    tiles = example[0][None, :40, :50, None]
    first, again, other = (
        fit_random_forest([example], num_classes=2, num_trees=5, seed=seed)(tiles)
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_unknown_pixels_teach_nothing_and_missing_classes_get_zero(discs, draw):
    class_map = np.where(discs, 2, 0).astype(np.int32)
    class_map[:, 95:] = NOT_ANNOTATED
    forest = fit_random_forest([(draw(discs), class_map)], num_classes=4, num_trees=5)
    probabilities = forest(draw(discs)[None, :, :, None])
    assert probabilities.shape == (1, *discs.shape, 4)
    assert not probabilities[..., [1, 3]].any()
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-5)


def test_rare_class_is_balanced(draw):
    """Three of 28,500 pixels are drawn as surely as the others."""
    mask = np.zeros((150, 190), dtype=np.bool_)
    mask[70, 90:93] = True
    image = draw(mask, noise=0.0)
    forest = fit_random_forest(
        [(image, mask.astype(np.int32))], num_classes=2, num_trees=20
    )
    found = forest(image[None, :, :, None])[0, 70, 90:93, 1]
    assert (found > 0.5).all()


def test_needs_an_annotated_pixel(discs, draw):
    nothing = np.full(discs.shape, NOT_ANNOTATED, dtype=np.int32)
    with pytest.raises(TrainingError, match="annotated pixels"):
        fit_random_forest([(draw(discs), nothing)], num_classes=2)


def test_features_are_finite_and_as_told():
    image = np.random.default_rng(1).random((40, 50), dtype=np.float32)
    features = filter_features(image)
    assert features.shape == (40, 50, 24)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_learns_precipitates_of_some_foils_and_finds_those_of_another():
    foils = [synthesize("precipitates", shape=(160, 192), seed=s) for s in (1, 2, 3, 4)]
    examples = [(normalize_percentile(f.micrograph.pixels), f.class_map) for f in foils]
    forest = fit_random_forest(examples[:3], num_classes=4, num_trees=20)
    image, class_map = examples[3]
    found = predict_image(forest, image, num_classes=4).class_map == 2
    assert (found & (class_map == 2)).sum() / (found | (class_map == 2)).sum() > 0.7
