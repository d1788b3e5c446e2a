"""The variants of a version: members, and passes with dropout."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.ensemble import build_ensemble
from defectkeras.models.segnet_basic import build_segnet_basic
from defectkeras.models.temperature import with_temperature
from defectkeras.registry.load import load_predict_fn
from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.variants import DROPOUT_PASSES, load_variants

TILES = np.random.default_rng(3).random((2, 32, 32, 1), dtype=np.float32)
IMAGE = np.random.default_rng(4).random((40, 64), dtype=np.float32)


@pytest.fixture
def publish(make_card, tmp_path):
    def publish_tiny(model, **card):
        registry = ModelRegistry(tmp_path)
        return registry.publish("tiny", model, make_card(**card), golden_image=IMAGE)

    return publish_tiny


def test_the_mean_of_the_members_is_what_the_ensemble_says(publish, make_model):
    members = [make_model(seed=seed) for seed in (0, 1, 2)]
    version = publish(build_ensemble(members))
    asked = [variant(TILES) for variant in load_variants(version, "members")]
    assert len(asked) == 3
    assert np.abs(asked[0] - asked[1]).max() > 0.01
    together = load_predict_fn(version)(TILES)
    np.testing.assert_allclose(np.mean(asked, axis=0), together, atol=1e-4)


def test_an_ensemble_with_a_temperature_has_its_members(publish, make_model):
    ensemble = build_ensemble([make_model(seed=0), make_model(seed=1)])
    version = publish(with_temperature(ensemble, 2.0))
    assert len(load_variants(version, "members")) == 2


def test_passes_differ_and_are_the_same_again(publish, make_model):
    keras.utils.set_random_seed(2)
    model = build_segnet_basic(num_classes=1, filters=4, bayesian=True)
    version = publish(model, num_classes=2, stride=16)
    passes = load_variants(version, "dropout")
    assert len(passes) == DROPOUT_PASSES
    first, second = passes[0](TILES), passes[1](TILES)
    assert first.shape == (*TILES.shape[:3], 2)
    np.testing.assert_allclose(first.sum(axis=-1), 1, rtol=1e-5)
    assert (first != second).any()
    np.testing.assert_array_equal(first, passes[0](TILES))


def test_one_network_has_no_variants(publish, make_model):
    version = publish(make_model())
    with pytest.raises(ModelError, match="must be an ensemble"):
        load_variants(version, "members")
    with pytest.raises(ModelError, match="must have dropout that can stay on"):
        load_variants(version, "dropout")
