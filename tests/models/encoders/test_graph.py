"""A configuration that is changed still makes a model."""

import keras
import numpy as np

from defectkeras.models.encoders.graph import (
    inbound,
    insert_after_input,
    prefix_layers,
    rename_layers,
)


def small_model():
    image = keras.Input((4, 6, 1))
    left = keras.layers.Conv2D(2, 1)(image)
    right = keras.layers.Conv2D(2, 1, name="expand")(image)
    x = keras.layers.Add()([left, keras.layers.ReLU()(right + 3.0)])
    return keras.Model(image, x)


def test_names_are_the_same_whatever_was_built_before():
    for _ in range(2):
        config = small_model().get_config()
        names = rename_layers(config, input_name="image")
        assert sorted(names.values()) == [
            "add_1", "add_2", "conv2d_1", "expand", "image", "re_lu_1"
        ]  # fmt: skip
        assert keras.Model.from_config(config).input.name == "image"


def test_prefix_is_on_all_but_the_input():
    config = small_model().get_config()
    rename_layers(config, input_name="image")
    names = prefix_layers(config, "encoder_")
    assert names["expand"] == "encoder_expand"
    found = [layer.name for layer in keras.Model.from_config(config).layers]
    assert [n for n in found if not n.startswith("encoder_")] == ["image"]


def test_layer_after_the_input_is_read_by_all():
    model = small_model()
    config = model.get_config()
    rename_layers(config, input_name="image")
    double = keras.layers.Rescaling(2.0, name="double")
    insert_after_input(config["layers"], double)
    changed = keras.Model.from_config(config)
    changed.set_weights(model.get_weights())
    image = np.random.default_rng(1).random((1, 4, 6, 1), np.float32)
    np.testing.assert_allclose(changed(image), model(2 * image), rtol=1e-6)


def test_inbound_finds_tensors_at_any_depth():
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {"keras_history": ["a", 0, 0]},
    }
    nodes = [{"args": ([tensor, 3.0],), "kwargs": {"other": tensor}}]
    assert list(inbound(nodes)) == [["a", 0, 0], ["a", 0, 0]]
