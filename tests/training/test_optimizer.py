import keras
import numpy as np
import pytest

from defectkeras.core.errors import TrainingError
from defectkeras.models.encoder_unet import build_encoder_unet
from defectkeras.models.encoders import build_encoder
from defectkeras.training.config import TrainingConfig
from defectkeras.training.optimizer import (
    build_groups,
    build_optimizer,
    encoder_layers,
    freeze_encoder,
    synchronize_batch_norms,
)


def build_model(*, nested=False):
    """A model with an encoder, by its layers' names or as a model in the model."""
    image = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(2, 3, padding="same", name="encoder_conv")(image)
    x = keras.layers.BatchNormalization(name="encoder_norm")(x)
    if nested:
        x = keras.Model(image, x, name="encoder")(image)
    logits = keras.layers.Conv2D(3, 1, name="logits")(x)
    return keras.Model(image, logits, name="small")


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_biases_and_scales_do_not_decay(name):
    model = build_model()
    config = TrainingConfig(weight_decay=0.5, optimizer=name)
    optimizer = build_optimizer(config, model.trainable_variables)
    optimizer.learning_rate = 0.1
    variables = model.trainable_variables
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    optimizer.apply([np.zeros(v.shape, np.float32) for v in variables], variables)
    means = {v.name: float(np.mean(v.numpy())) for v in variables}
    assert means["kernel"] == pytest.approx(0.95)
    assert means["bias"] == means["gamma"] == means["beta"] == 1.0


def test_sgd_has_nesterovs_momentum():
    variable = keras.Variable(np.zeros(1, np.float32), name="kernel")
    config = TrainingConfig(optimizer="sgd", momentum=0.5, weight_decay=0.0)
    optimizer = build_optimizer(config, [variable])
    optimizer.learning_rate = 1.0
    for expected in (-1.5, -3.25):  # v = 0.5 v - g; w += 0.5 v - g
        optimizer.apply([np.ones(1, np.float32)], [variable])
        assert float(variable.numpy()[0]) == pytest.approx(expected)


@pytest.mark.parametrize("nested", [False, True])
def test_encoder_has_its_own_rate(nested):
    model = build_model(nested=nested)
    rest, encoder = build_groups(model, TrainingConfig(encoder_rate_factor=0.1))
    assert (rest.rate_factor, encoder.rate_factor) == (1.0, 0.1)
    assert [v.path.split("/")[0] for v in rest.variables] == ["logits"] * 2
    assert len(encoder.variables) == 4
    assert encoder.is_encoder


def test_one_group_where_all_learn_alike():
    model = build_model()
    (group,) = build_groups(model, TrainingConfig())
    assert len(group.variables) == len(model.trainable_variables)


def test_model_without_an_encoder_is_told(build_tiny_model):
    with pytest.raises(TrainingError, match=r"'encoder_'.*tiny has none"):
        build_groups(build_tiny_model(), TrainingConfig(frozen_epochs=2))


@pytest.mark.parametrize("nested", [False, True])
def test_frozen_encoder_keeps_its_statistics(nested):
    model = build_model(nested=nested)
    assert encoder_layers(model)
    freeze_encoder(model, True)
    before = [v.numpy() for v in model.non_trainable_variables]
    model(np.random.default_rng(0).normal(size=(2, 6, 8, 1)), training=True)
    for a, b in zip(before, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(a, b.numpy())
    freeze_encoder(model, False)
    assert len(model.trainable_variables) == 6


@pytest.mark.parametrize("encoder", ["mobilenet_v3_small", "efficientnet_lite0"])
def test_encoder_of_a_network_is_found(encoder):
    """All but what the decoder adds, whose names begin otherwise."""
    network = build_encoder(encoder)
    model = build_encoder_unet(num_classes=2, encoder=encoder)
    freeze_encoder(model, True)
    frozen = [w.path for w in model.non_trainable_weights]
    assert {w.path for w in network.trainable_weights} <= set(frozen)
    left = {v.path.split("_")[0] for v in model.trainable_variables}
    assert left == {"decoder", "classes/kernel", "classes/bias"}


def test_batch_norms_of_inner_models_are_synchronized_too():
    model = build_model(nested=True)
    norm = model.get_layer("encoder").get_layer("encoder_norm")
    synchronize_batch_norms(model, True)
    assert norm.synchronized
    synchronize_batch_norms(model, False)
    assert not norm.synchronized
