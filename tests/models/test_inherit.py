"""Weights that go from one model to the next."""

import keras
import numpy as np
import pytest

from defectkeras.core.errors import ModelError
from defectkeras.models.build import build_model
from defectkeras.models.ensemble import build_ensemble
from defectkeras.models.inherit import inherit_weights
from defectkeras.models.temperature import with_temperature

TILES = np.random.default_rng(0).random((1, 16, 32, 1), dtype=np.float32)


def build(seed, num_classes=3, filters=2):
    keras.utils.set_random_seed(seed)
    return build_model("unet", num_classes=num_classes, filters=filters)


def test_same_classes_give_the_same_logits():
    parent, model = build(1), build(2)
    assert inherit_weights(model, with_temperature(parent, 3.0)) == ()
    np.testing.assert_allclose(model(TILES), parent(TILES), atol=1e-6)


def test_other_classes_need_a_new_head_only():
    parent, model = build(1), build(2, num_classes=5)
    (head,) = inherit_weights(model, parent)
    assert model.get_layer(head).output.shape[-1] == 5
    first = next(layer for layer in model.layers if layer.weights)
    same = parent.get_layer(first.name).get_weights()
    for own, other in zip(first.get_weights(), same, strict=True):
        np.testing.assert_array_equal(own, other)


def test_of_an_ensemble_the_first_member_is_taken():
    members, model = [build(1), build(2)], build(3)
    inherit_weights(model, build_ensemble(members))
    np.testing.assert_allclose(model(TILES), members[0](TILES), atol=1e-6)


def test_another_architecture_is_refused():
    with pytest.raises(ModelError, match="must have the layers of the one"):
        inherit_weights(build(1), build_model("defectsegnet", num_classes=3))
