"""A model to be trained: precision chosen, seeded, built, and begun from its parent."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from defectkeras.datasets.spec import DatasetSpec
from defectkeras.registry.store import ModelRegistry
from defectkeras.workflows.training_card import num_maps
from defectkeras.workflows.training_request import TrainingRequest

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.precision import Policy
    from defectkeras.training.strategy import Devices

logger = logging.getLogger(__name__)

MIN_STEPS_TO_MEASURE = 1000  # a shorter run would not win back what measuring takes


def build_model_for(
    request: TrainingRequest,
    spec: DatasetSpec,
    config: "TrainingConfig",
    devices: "Devices",
) -> "keras.Model":
    """Choose the precision and build the model, seeded, on its devices.

    Args:
        request: Names the architecture.
        spec: Has the classes.
        config: The settings.
        devices: Where it computes.
    """
    from defectkeras.models.build import build_model
    from defectkeras.models.receptive_field import idle_rates
    from defectkeras.training.environment import seed_everything
    from defectkeras.training.precision import (
        PrecisionChoice,
        choose_precision,
        with_policy,
    )
    from defectkeras.training.run_folder import ENVIRONMENT, read_run_file
    from defectkeras.training.step_time import step_seconds

    def build() -> "keras.Model":
        arguments = {"num_classes": num_maps(spec), **request.arguments}
        return build_model(request.architecture, **arguments)

    def measure(policy: "Policy") -> float:
        return step_seconds(build, config, policy)

    steps = config.epochs * config.steps_per_epoch
    pays = steps >= MIN_STEPS_TO_MEASURE and devices.replicas == 1
    if request.resume and request.run_folder:
        before = read_run_file(request.run_folder, ENVIRONMENT)["precision"]
        choice = PrecisionChoice(before, "The run began with it.")
    else:
        choice = choose_precision(
            config.precision,
            measure=measure if pays and not config.deterministic else None,
        )
    logger.info("Precision %s: %s", choice.policy, choice.reason)
    if config.deterministic:
        _make_deterministic(choice.policy, measure if pays else None)
    seed_everything(config.seed)
    with with_policy(choice.policy), devices.strategy.scope():
        model = build()
    if idle := idle_rates(model, config.patch_size):
        logger.warning(
            "The rates %s reach beyond the map that patches of %d px give: such a 3x3 "
            "convolution is a 1x1 convolution. Take larger patches (--patch-size) or "
            "smaller rates (--set-model rates=[...]).",
            ", ".join(map(str, idle)),
            config.patch_size,
        )
    if request.parent and not request.resume:
        _begin_from(request.parent, request, spec, model)
    return model


def _begin_from(
    parent: str, request: TrainingRequest, spec: DatasetSpec, model: "keras.Model"
) -> None:
    """Give a model the weights of a version, and tell which layers stay new."""
    from defectkeras.models.inherit import inherit_weights
    from defectkeras.registry.load import load_model
    from defectkeras.training.prepare import main_head

    version = ModelRegistry(request.registry_root).resolve(parent)
    changed = inherit_weights(main_head(model), load_model(version))
    if changed:
        logger.info(
            "New are the layers %s; the others have the weights of %s.",
            ", ".join(changed),
            version.reference,
        )
    elif spec.scheme != version.card.scheme:
        logger.info(
            "The classes are not those of %s, but as many: its head is kept and learns "
            "the others.",
            version.reference,
        )


def _make_deterministic(
    policy: "Policy", measure: "Callable[[Policy], float] | None"
) -> None:
    """Switch deterministic operations on, and tell what they cost."""
    from defectkeras.training.environment import make_deterministic

    before = measure(policy) if measure else None
    make_deterministic()
    if measure and before:
        ratio = measure(policy) / before
        logger.info("Deterministic operations: a step takes %.2f times as long.", ratio)
    else:
        logger.info("Deterministic operations are on; their cost was not measured.")
