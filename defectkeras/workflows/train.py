"""From a data spec to a new version in the registry."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from defectkeras.core.arrays import Image
from defectkeras.core.errors import TrainingError
from defectkeras.datasets.folds import spec_of_fold
from defectkeras.datasets.skip import require_usable, without_bad_examples
from defectkeras.datasets.spec import DatasetSpec, load_dataset_spec, load_example
from defectkeras.registry.folders import require_writable
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.fresh_model import build_model_for
from defectkeras.workflows.refit import refit, split_of
from defectkeras.workflows.training_card import (
    make_card,
    num_maps,
    pixel_size_range,
    validation_scores,
)
from defectkeras.workflows.training_request import (
    REFIT,
    TrainingRequest,
    choose_name,
    write_request,
)
from defectkeras.workflows.trust.held_out import hold_out
from defectkeras.workflows.trust.learn import learn_trust

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.progress import TrainingProgress
    from defectkeras.training.train import TrainingRun

__all__ = ["TrainingRequest", "train"]

logger = logging.getLogger(__name__)


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
        The new version, whose card holds the scores on the validation split (with
        `refit`, those of the model before it), and the run. Of several workers the
        first one alone publishes; the others get None.

    Raises:
        DatasetError: When the data spec or its files have a fault.
        TrainingError: When the run cannot start, go on or end well.
        RegistryError: When the version cannot be published.
    """
    from defectkeras.models.temperature import with_temperature
    from defectkeras.training import train as training
    from defectkeras.training.strategy import choose_devices

    spec, name = load_spec_of(request)
    _require_examples(spec, request)
    devices = choose_devices(config.strategy)
    logger.info("Devices: %s", devices.reason)
    if devices.workers > 1 and request.run_folder is None:
        raise TrainingError(
            "Several workers must share one run folder, where all of them see it. "
            "Received: none. Name it with --run-folder."
        )
    run_folder = request.chosen_run_folder(name)
    learned = (*spec.of_split("train"), *(spec.of_split("val") if config.refit else ()))
    pixel_size_range_nm = pixel_size_range(learned, config)
    model = build_model_for(request, spec, config, devices)
    if devices.is_chief:
        require_writable(ModelRegistry(request.registry_root).root / name)
        if not request.resume:
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
    published = run.model
    if config.refit:
        published = refit(
            request,
            spec,
            config,
            first=run.run_folder,
            epochs=run.best_epoch,
            folder=run_folder / REFIT,
            devices=devices,
            on_progress=on_progress,
        )
    if not devices.is_chief:
        return None, run
    unseen = hold_out(run.model, spec.of_split("val"), spec.scheme)
    trust = learn_trust([unseen], spec, config)
    published = with_temperature(published, trust.temperature)
    card = make_card(
        request,
        spec,
        config,
        name=name,
        model=published,
        pixel_size_range_nm=pixel_size_range_nm,
        split=split_of(spec, refitted=config.refit),
        metrics={
            "split": "val",
            "refitted": config.refit,
            "protocol": "whole micrographs, pixels pooled, most probable class",
            "best_epoch": run.best_epoch,
            "scores": validation_scores(run),
        },
        trust=trust,
    )
    version = ModelRegistry(request.registry_root).publish(
        name,
        published,
        card,
        golden_image=golden_image(spec),
        extra_files={
            "dataset_spec.toml": spec.path,
            "history.csv": run.run_folder / "history.csv",
        },
    )
    return version, run


def plan_training(
    request: TrainingRequest, config: "TrainingConfig"
) -> "tuple[DatasetSpec, str, keras.Model]":
    """Load the data spec, choose the name in the registry, build the model.

    All files are read once, for one that cannot be used would stop the training.

    Args:
        request: What is to be trained, and where it goes.
        config: The settings of the training.

    Raises:
        DatasetError: When the data spec or an annotation has a fault, or there are too
            few examples.
        MicrographError: When a micrograph cannot be read.
        ModelError: When the architecture or an argument of it is unknown.
        RegistryError: When the name cannot be one in the registry.
        TrainingError: When the settings do not go with the model.
    """
    from defectkeras.models.build import build_model
    from defectkeras.training.prepare import check_model

    spec, name = load_spec_of(request)
    _require_examples(spec, request)
    require_usable(spec)
    model = build_model(
        request.architecture, num_classes=num_maps(spec), **request.arguments
    )
    check_model(model, spec.scheme, config)
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
    name = choose_name(request.name, spec.name)
    if request.skip_bad:
        spec, problems = without_bad_examples(spec)
        for problem in problems:
            logger.warning("Left out: %s: %s", problem.path, problem.message)
    return spec, name


def _require_examples(spec: DatasetSpec, request: TrainingRequest) -> None:
    """Ask for both splits; folds share out what is in either."""
    if request.folds:
        spec_of_fold(spec, request.folds, 0)
        return
    hint = "Name some under [split]."
    if request.skip_bad:
        hint = "Mend what was left out, or name others under [split]."
    for split in ("train", "val"):
        spec.require_split(split, hint)


def golden_image(spec: DatasetSpec) -> Image:
    """Give the validation micrograph with the most defect pixels, (H, W).

    Args:
        spec: Without a validation split any micrograph that is learned from will do.
    """
    chosen = spec.of_split("val") or spec.of_split("train")
    examples = (load_example(e, spec.scheme) for e in chosen)
    best = max(examples, key=lambda e: int((e.class_map > 0).sum()))
    return best.micrograph.pixels
