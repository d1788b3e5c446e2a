"""From a version of the registry and a handful of own fields to a new version."""

import dataclasses
import inspect
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defectkeras.core.errors import DatasetError
from defectkeras.core.labels import LabelScheme
from defectkeras.core.names import require_known
from defectkeras.datasets.spec import DatasetSpec, load_micrograph
from defectkeras.registry.card import ModelCard
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.own_fields import (
    load_fields,
    split_in_space,
    validate_fields,
)
from defectkeras.workflows.train import train
from defectkeras.workflows.training_request import TrainingRequest, choose_name

if TYPE_CHECKING:
    from defectkeras.training.progress import TrainingProgress
    from defectkeras.training.settings import Settings
    from defectkeras.training.train import TrainingRun

logger = logging.getLogger(__name__)

BATCH_SIZE, STEPS_PER_EPOCH = 4, 20


@dataclass(frozen=True)
class Pace:
    """How much a version changes.

    Attributes:
        learning_rate: The highest.
        encoder_rate_factor: Where there is an encoder, it changes less than the rest.
        passes: How often every pixel is seen, within the next two.
        fewest_patches: Of the whole training.
        most_patches: Of the whole training.
    """

    learning_rate: float
    encoder_rate_factor: float
    passes: int
    fewest_patches: int
    most_patches: int


CAREFUL = Pace(3e-4, 0.2, passes=40, fewest_patches=400, most_patches=4000)
"""A tenth of a training from scratch, since most is known already."""

WITH_NEW_CLASSES = Pace(1e-3, 0.5, passes=80, fewest_patches=1600, most_patches=8000)
"""The head knows nothing yet: the careful pace ends far from what it can learn."""

COMMON = {
    "batch_size": BATCH_SIZE,
    "steps_per_epoch": STEPS_PER_EPOCH,
    "augmentation.gain": 0.3,
    "augmentation.offset": 0.15,
    "augmentation.gamma": 0.4,
    "augmentation.noise": 0.06,
    "augmentation.scale_range": [0.7, 1.4],
}
"""Small batches and strong augmentation."""

FROM_PARENT = ("loss", "patch_size", "target_pixel_size_nm", "augment_predictions")
"""Settings that are those of the parent."""


@dataclass(frozen=True)
class FinetuneRequest:
    """What is to be trained further, on what, and where it goes.

    Attributes:
        model: "name", "name@3" or "name@alias" in the registry.
        data: A data spec, or a folder of fields, see `load_fields`.
        root: Folder of the files of a data spec, in place of its own.
        name: Name in the registry; None takes that of the data.
        registry_root: Folder of the registry; None takes the default.
        run_folder: Folder of the run's files, new; None takes one in runs/.
        description: One sentence for the card; None writes a plain one.
        limits: For the card; None writes what is always true.
        settings: Layers of settings over the careful ones, see `resolve_settings`.
    """

    model: str
    data: Path
    root: Path | None = None
    name: str | None = None
    registry_root: Path | None = None
    run_folder: Path | None = None
    description: str | None = None
    limits: str | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class FinetunePlan:
    """What would be done.

    Attributes:
        version: That it begins from.
        spec: The fields, as they are given.
        name: In the registry.
        settings: Of the training.
        same_classes: Whether the classes are those of the version.
        validation: What the result is validated on, in words.
    """

    version: ModelVersion
    spec: DatasetSpec
    name: str
    settings: "Settings"
    same_classes: bool
    validation: str


def plan_finetuning(request: FinetuneRequest) -> FinetunePlan:
    """Find version and fields, and choose the settings; nothing is written.

    All problems of the fields are logged.

    Args:
        request: What is to be trained further.

    Raises:
        RegistryError: When there is no such version, or the name cannot be one.
        DatasetError: When the fields have a fault, or none is for training.
        ModelError: When the architecture of the version cannot be built.
        TrainingError: When a setting is unknown or wrong.
    """
    from defectkeras.core.errors import ModelError
    from defectkeras.models.build import MODEL_BUILDERS
    from defectkeras.training.settings import resolve_settings

    version = ModelRegistry(request.registry_root).resolve(request.model)
    card = version.card
    require_known(
        card.architecture, MODEL_BUILDERS, what="architecture", error=ModelError
    )
    _require_sound_fields(request, card.scheme)
    spec = load_fields(request.data, card.scheme, root=request.root)
    name = choose_name(request.name, spec.name)
    spec.require_split("train")
    same_classes = spec.scheme == card.scheme
    pace = CAREFUL if same_classes else WITH_NEW_CLASSES
    settings = resolve_settings(
        {"finetune": settings_at(pace, card, _pixels(spec)), **request.settings}
    )
    own_split = bool(spec.of_split("val"))
    return FinetunePlan(
        version=version,
        spec=spec,
        name=name,
        settings=settings,
        same_classes=same_classes,
        validation="the split val of the data"
        if own_split
        else "a quarter of each field, with a margin",
    )


def finetune(
    request: FinetuneRequest,
    *,
    on_progress: "Callable[[TrainingProgress], None] | None" = None,
) -> "tuple[ModelVersion | None, TrainingRun]":
    """Train a version further on own fields, and publish what comes of it.

    Weights, architecture and classes are those of the version; where the data have
    more or fewer classes, the head is new and the rest is kept. Without a validation
    split a quarter of each field serves as one. A run that was stopped goes on with
    `train --resume`.

    Args:
        request: What is to be trained further.
        on_progress: Called after each step and each validation.

    Returns:
        The new version, with its parent in the card, and the run.

    Raises:
        DefectKerasError: As `plan_finetuning` and `train`.
    """
    from defectkeras.training.run_folder import require_no_run

    plan = plan_finetuning(request)
    card = plan.version.card
    draft = TrainingRequest(
        plan.spec.path,
        root=request.root,
        architecture=plan.settings.architecture,
        arguments=plan.settings.arguments,
        name=plan.name,
        registry_root=request.registry_root,
        description=request.description
        or f"{card.description}, trained further on {plan.spec.name}",
        limits=request.limits,
        origins={k: v for k, v in plan.settings.origins.items() if v != "default"},
        parent=plan.version.reference,
        run_folder=request.run_folder,
    )
    run_folder = draft.chosen_run_folder(plan.name)
    logger.info(
        "Begins from %s; validated on %s.", plan.version.reference, plan.validation
    )
    if not plan.spec.of_split("val"):
        require_no_run(run_folder)
        path = split_in_space(plan.spec, run_folder / "fields")
        draft = dataclasses.replace(draft, spec_path=path, root=None)
    return train(
        dataclasses.replace(draft, run_folder=run_folder),
        plan.settings.config,
        on_progress=on_progress,
    )


def settings_at(pace: Pace, card: ModelCard, pixels: int) -> dict[str, Any]:
    """Choose settings that change what a version knows no more than is needed.

    Args:
        pace: How much it changes.
        card: Of the version.
        pixels: Of the micrographs for training.

    Returns:
        As in a TOML file, with the architecture and its arguments.
    """
    from defectkeras.models.build import MODEL_BUILDERS
    from defectkeras.training.settings import nest

    known = inspect.signature(MODEL_BUILDERS[card.architecture]).parameters
    kept = {
        key: card.config[key] for key in FROM_PARENT if card.config.get(key) is not None
    }
    patch_size = kept.get("patch_size", 256)
    seen = pace.passes * pixels / patch_size**2
    patches = min(max(seen, pace.fewest_patches), pace.most_patches)
    epochs = math.ceil(patches / BATCH_SIZE / STEPS_PER_EPOCH)
    arguments = {k: v for k, v in card.arguments.items() if k != "num_classes"}
    if "encoder_weights" in arguments:  # the version has better ones
        arguments["encoder_weights"] = None
    common = {**COMMON, "augmentation.symmetries": card.symmetries}
    return {
        **nest(common),
        **kept,
        "learning_rate": pace.learning_rate,
        **(
            {"encoder_rate_factor": pace.encoder_rate_factor}
            if "encoder" in known
            else {}
        ),
        "epochs": epochs,
        "patience": epochs,
        "architecture": card.architecture,
        "model": arguments,
    }


def _require_sound_fields(request: FinetuneRequest, scheme: LabelScheme) -> None:
    """Tell all problems of the fields, and go on where none is an error."""
    problems = validate_fields(request.data, scheme, root=request.root)
    for problem in problems:
        logger.warning("%s: %s: %s", problem.severity, problem.path, problem.message)
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        raise DatasetError(
            f"{request.data}: must have no error. Received: {errors}, named above. "
            "Annotations of another kind than class indices need a data spec, which "
            "`defectkeras data init` writes."
        )


def _pixels(spec: DatasetSpec) -> int:
    return sum(load_micrograph(e).pixels.size for e in spec.of_split("train"))
