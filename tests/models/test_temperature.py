"""A temperature as the last layer of a model."""

import keras
import numpy as np

from defectkeras.models.build import describe_architecture
from defectkeras.models.temperature import with_temperature


def build():
    image = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(image)
    return keras.Model(image, keras.layers.Conv2DTranspose(3, 2, strides=2)(x))


def test_logits_are_divided_and_classes_stay():
    keras.utils.set_random_seed(0)
    model = build()
    cooled = with_temperature(model, 2.5)
    tiles = np.random.default_rng(0).random((2, 16, 24, 1), dtype=np.float32)
    logits, divided = model(tiles).numpy(), cooled(tiles).numpy()
    np.testing.assert_allclose(divided, logits / 2.5, rtol=1e-5)
    np.testing.assert_array_equal(divided.argmax(axis=-1), logits.argmax(axis=-1))
    assert describe_architecture(cooled) == describe_architecture(model)
    assert len(cooled.get_weights()) == len(model.get_weights())


def test_it_is_kept_in_the_file(tmp_path):
    with_temperature(build(), 4.0).save(tmp_path / "model.keras")
    layer = keras.saving.load_model(tmp_path / "model.keras").layers[-1]
    assert (layer.scale, layer.compute_dtype) == (0.25, "float32")
