"""The optimizers: one for the encoder, where it learns otherwise, one for the rest.

Learning rates are set step by step (`schedule.py`), gradients are clipped and
checked before they come here (`step.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from defectkeras.core.errors import TrainingError
from defectkeras.training.config import TrainingConfig

ENCODER = "encoder"


@dataclass(frozen=True, eq=False)
class Group:
    """Weights that learn at one rate.

    Attributes:
        optimizer: Built for these weights alone.
        variables: The weights.
        rate_factor: Their learning rate, relative to the schedule's.
        is_encoder: Whether they are the encoder's.
    """

    optimizer: keras.optimizers.Optimizer
    variables: tuple[Any, ...]
    rate_factor: float = 1.0
    is_encoder: bool = False


def build_groups(model: keras.Model, config: TrainingConfig) -> tuple[Group, ...]:
    """Part the weights of a model by their learning rate, each with an optimizer.

    Args:
        model: All of its trainable weights are taken; call it in the scope of the
            strategy in which the model was built.
        config: The settings of the run.

    Raises:
        TrainingError: When the encoder is to learn otherwise than the rest and
            the model does not say which layers it is.
    """
    encoder: list[Any] = []
    if config.frozen_epochs or config.encoder_rate_factor != 1.0:
        encoder = [v for e in encoder_layers(model) for v in e.trainable_variables]
        if not encoder:
            raise TrainingError(
                "`frozen_epochs` and `encoder_rate_factor` need an encoder: layers "
                "whose names begin with 'encoder_', or a model in the model named "
                f"'encoder'. {model.name} has none."
            )
    known = {id(v) for v in encoder}
    rest = [v for v in model.trainable_variables if id(v) not in known]
    groups = [Group(build_optimizer(config, rest), tuple(rest))]
    if encoder:
        optimizer = build_optimizer(config, encoder)
        factor = config.encoder_rate_factor
        groups.append(Group(optimizer, tuple(encoder), factor, is_encoder=True))
    return tuple(groups)


def build_optimizer(
    config: TrainingConfig, variables: list[Any]
) -> keras.optimizers.Optimizer:
    """Build AdamW or SGD for some weights; biases and scales do not decay.

    Args:
        config: The settings of the run.
        variables: Of a model.

    References:
        I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR
        (2019), https://doi.org/10.48550/arXiv.1711.05101
    """
    optimizer = {
        "adamw": lambda: keras.optimizers.AdamW(weight_decay=config.weight_decay),
        "sgd": lambda: keras.optimizers.SGD(
            momentum=config.momentum,
            nesterov=config.momentum > 0,
            weight_decay=config.weight_decay,
        ),
    }[config.optimizer]()
    build_for(optimizer, variables)
    return optimizer


def build_for(optimizer: keras.optimizers.Optimizer, variables: list[Any]) -> None:
    """Build an optimizer for some weights, of which biases and scales do not decay.

    Args:
        optimizer: With its rate of decay.
        variables: Of a model.
    """
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(variables)


def encoder_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Give the layers of a model that are its encoder.

    These are the layers whose names begin with "encoder_", and the model in the
    model that is named "encoder".
    """
    return [
        layer
        for layer in model.layers
        if layer.name == ENCODER or layer.name.startswith(f"{ENCODER}_")
    ]


def freeze_encoder(model: keras.Model, is_frozen: bool) -> None:
    """Keep the encoder as it is, its batch statistics too, or let it learn."""
    for layer in encoder_layers(model):
        layer.trainable = not is_frozen


def synchronize_batch_norms(model: keras.Model, is_synchronized: bool) -> None:
    """Let batch normalization see the batches of all devices, or its own alone."""
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = is_synchronized


def all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Give the layers of a model and of the models in it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)
