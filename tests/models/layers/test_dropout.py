"""Dropout that can stay on."""

import keras
import numpy as np

from defectkeras.models.layers import MonteCarloDropout

ONES = np.ones((1, 20, 30, 1), dtype=np.float32)


def test_drops_in_training_and_while_sampling():
    layer = MonteCarloDropout(0.25, seed=3)
    np.testing.assert_array_equal(layer(ONES), ONES)
    layer.sampling = True
    for dropped in (layer(ONES), layer(ONES, training=True)):
        assert 0.15 < np.mean(np.asarray(dropped) == 0) < 0.35
        np.testing.assert_allclose(np.max(dropped), 1 / 0.75, rtol=1e-6)


def test_sampling_is_no_part_of_a_saved_layer():
    layer = MonteCarloDropout(0.25, seed=3, name="drop")
    layer.sampling = True
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (again.rate, again.seed, again.name, again.sampling) == (
        0.25,
        3,
        "drop",
        False,
    )
