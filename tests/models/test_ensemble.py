import keras
import numpy as np
import pytest
from scipy.special import expit, softmax

from defectkeras.models.build import build_model
from defectkeras.models.ensemble import build_ensemble

IMAGE = np.random.default_rng(0).uniform(size=(2, 16, 24, 1)).astype(np.float32)


def build_member(num_classes, seed):
    keras.utils.set_random_seed(seed)
    image = keras.Input((None, None, 1))
    logits = keras.layers.Conv2D(num_classes, 3, padding="same", name="logits")
    return keras.Model(image, logits(image), name="same_name")


@pytest.mark.parametrize(("num_classes", "activate"), [(1, expit), (3, softmax)])
def test_probabilities_are_the_mean_of_the_members(num_classes, activate, tmp_path):
    members = [build_member(num_classes, seed) for seed in range(3)]
    ensemble = build_ensemble(members)
    axis = {"axis": -1} if activate is softmax else {}
    expected = np.mean([activate(m(IMAGE).numpy(), **axis) for m in members], axis=0)
    found = activate(ensemble(IMAGE).numpy(), **axis)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    ensemble.save(tmp_path / "ensemble.keras")
    loaded = keras.saving.load_model(tmp_path / "ensemble.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(IMAGE).numpy(), ensemble(IMAGE).numpy())


def test_members_are_copies_of_any_size():
    member = build_member(3, seed=0)
    ensemble = build_ensemble([member, member])
    before = ensemble(IMAGE).numpy()
    member.set_weights([np.zeros_like(w) for w in member.get_weights()])
    np.testing.assert_array_equal(ensemble(IMAGE).numpy(), before)
    assert ensemble.output_shape == (None, None, None, 3)
    with pytest.raises(ValueError, match="must have a member"):
        build_ensemble([])


def test_defectsegnet_makes_an_ensemble():
    member = build_model("defectsegnet", num_classes=1)
    ensemble = build_ensemble([member])
    np.testing.assert_allclose(
        ensemble(IMAGE).numpy(), member(IMAGE).numpy(), atol=1e-5
    )
