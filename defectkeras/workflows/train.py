"""From a data spec to a new version in the registry."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from defectkeras.core.arrays import Image
from defectkeras.core.errors import DatasetError, TrainingError
from defectkeras.datasets.form import SplitName
from defectkeras.datasets.skip import without_bad_examples
from defectkeras.datasets.spec import DatasetSpec, load_dataset_spec, load_example
from defectkeras.registry.names import require_name
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.training_card import (
    make_card,
    num_maps,
    pixel_size_range,
    validation_scores,
)
from defectkeras.workflows.training_request import TrainingRequest, write_request
from defectkeras.workflows.trust import learn_trust

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.precision import Policy
    from defectkeras.training.progress import TrainingProgress
    from defectkeras.training.strategy import Devices
    from defectkeras.training.train import TrainingRun

__all__ = ["TrainingRequest", "train"]

logger = logging.getLogger(__name__)
SPLITS: tuple[SplitName, ...] = ("train", "val")


MIN_STEPS_TO_MEASURE = 1000  # a shorter run would not win back what measuring takes


def train(
    request: TrainingRequest,
    config: "TrainingConfig",
    *,
    on_progress: "Callable[[TrainingProgress], None] | None" = None,
) -> "tuple[ModelVersion | None, TrainingRun]":
    """Train a model on a data spec and publish it as a new version.

    Args:
        request: What is to be trained, and where it goes.
        config: The settings of the training.
        on_progress: Called after each step and each validation.

    Returns:
        The new version, whose card holds the scores on the validation split, and
        the run. Of several workers the first one alone publishes; the others get
        None.

    Raises:
        DatasetError: When the data spec or its files have a fault.
        TrainingError: When the run cannot start, go on or end well.
        RegistryError: When the version cannot be published.
    """
    from defectkeras.training import train as training
    from defectkeras.training.strategy import choose_devices

    spec, name = load_spec_of(request)
    _require_splits(spec)
    devices = choose_devices(config.strategy)
    logger.info("Devices: %s", devices.reason)
    if devices.workers > 1 and request.run_folder is None:
        raise TrainingError(
            "Several workers must share one run folder, where all of them see it. "
            "Received: none. Name it with --run-folder."
        )
    run_folder = request.chosen_run_folder(name)
    pixel_size_range_nm = pixel_size_range(spec.of_split("train"), config)
    model = build_model_for(request, spec, config, devices)
    if devices.is_chief and not request.resume:
        write_request(request, run_folder, spec)
    run = training.train(
        model,
        spec.of_split("train"),
        spec.of_split("val"),
        spec.scheme,
        config,
        run_folder=run_folder,
        resume=request.resume,
        devices=devices,
        on_progress=on_progress,
    )
    if not devices.is_chief:
        return None, run
    trust = learn_trust(run.model, spec, config)
    card = make_card(
        request,
        spec,
        config,
        name=name,
        model=trust.model,
        pixel_size_range_nm=pixel_size_range_nm,
        split={
            split: [e.name for e in spec.of_split(split)]
            for split in ("train", "val", "test")
        },
        metrics={
            "split": "val",
            "protocol": "whole micrographs, pixels pooled, most probable class",
            "best_epoch": run.best_epoch,
            "scores": validation_scores(run),
            **trust.metrics,
        },
        thresholds=trust.thresholds,
        applicability=trust.applicability,
    )
    version = ModelRegistry(request.registry_root).publish(
        name,
        trust.model,
        card,
        golden_image=golden_image(spec),
        extra_files={
            "dataset_spec.toml": spec.path,
            "history.csv": run.run_folder / "history.csv",
        },
    )
    return version, run


def plan_training(request: TrainingRequest) -> "tuple[DatasetSpec, str, keras.Model]":
    """Load the data spec, choose the name in the registry, build the model.

    Args:
        request: What is to be trained, and where it goes.

    Raises:
        DatasetError: When the data spec has a fault, or a split is empty.
        ModelError: When the architecture or an argument of it is unknown.
        RegistryError: When the name cannot be one in the registry.
    """
    from defectkeras.models.build import build_model

    spec, name = load_spec_of(request)
    _require_splits(spec)
    model = build_model(
        request.architecture, num_classes=num_maps(spec), **request.arguments
    )
    return spec, name, model


def load_spec_of(request: TrainingRequest) -> tuple[DatasetSpec, str]:
    """Load the data spec and choose the name in the registry.

    Args:
        request: Tells whether examples that cannot be used are left out; they are
            named.

    Raises:
        DatasetError: When the data spec has a fault.
        RegistryError: When the name cannot be one in the registry.
    """
    spec = load_dataset_spec(request.spec_path, root=request.root)
    name = require_name(request.name or spec.name)
    if request.skip_bad:
        spec, problems = without_bad_examples(spec)
        for problem in problems:
            logger.warning("Left out: %s: %s", problem.path, problem.message)
    return spec, name


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
        _begin_from(request.parent, request, model)
    return model


def _begin_from(parent: str, request: TrainingRequest, model: "keras.Model") -> None:
    """Give a model the weights of a version, and tell which layers stay new."""
    from defectkeras.models.inherit import inherit_weights
    from defectkeras.registry.load import load_model
    from defectkeras.training.prepare import main_head

    version = ModelRegistry(request.registry_root).resolve(parent)
    changed = inherit_weights(main_head(model), load_model(version))
    if changed:
        logger.info(
            "The classes are not those of %s: new are the layers %s; the rest is kept.",
            version.reference,
            ", ".join(changed),
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


def _require_splits(spec: DatasetSpec) -> None:
    for split in SPLITS:
        if not spec.of_split(split):
            raise DatasetError(
                f'{spec.path}: the split "{split}" must have a micrograph to train '
                "with. Received: none. Name some under [split]."
            )


def golden_image(spec: DatasetSpec) -> Image:
    """Give the validation micrograph with the most defect pixels, (H, W)."""
    examples = (load_example(e, spec.scheme) for e in spec.of_split("val"))
    best = max(examples, key=lambda e: int((e.class_map > 0).sum()))
    return best.micrograph.pixels
