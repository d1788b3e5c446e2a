"""k-fold training by specimen, with the ensemble of all folds as the result."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from defectkeras.core.errors import TrainingError
from defectkeras.datasets.folds import assign_folds
from defectkeras.datasets.spec import DatasetSpec, Example, LoadedExample, load_example
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.applicability import learn_references
from defectkeras.workflows.fresh_model import build_model_for
from defectkeras.workflows.thresholds import (
    Predict,
    TunedThresholds,
    predict_probabilities,
    remember,
    tune_thresholds,
)
from defectkeras.workflows.train import golden_image, load_spec_of
from defectkeras.workflows.training_card import (
    make_card,
    pixel_size_range,
    validation_scores,
)
from defectkeras.workflows.training_request import TrainingRequest, write_request

if TYPE_CHECKING:
    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.progress import TrainingProgress
    from defectkeras.training.train import TrainingRun

logger = logging.getLogger(__name__)


def train_folds(
    request: TrainingRequest,
    config: "TrainingConfig",
    *,
    on_progress: "Callable[[TrainingProgress], None] | None" = None,
) -> "tuple[ModelVersion, tuple[TrainingRun, ...]]":
    """Train one model per fold and publish their ensemble as one version.

    The examples of the training and the validation split are shared out by
    specimen. Each model learns from all folds but one and is validated on that
    one, so that each score is of micrographs that the model has not seen. The
    ensemble as a whole has seen them all: only the test split can tell how good it
    is, and for the same reason it has no temperature of its own.

    Args:
        request: With the number of folds.
        config: The settings; model k of them has the seed plus k.
        on_progress: Called after each step and each validation of each model.

    Returns:
        The new version and the runs of the folds.

    Raises:
        DatasetError: When there are fewer specimens than folds.
        TrainingError: When a run cannot start, go on or end well, or there are
            several machines.
        RegistryError: When the version cannot be published.
    """
    from defectkeras.models.ensemble import build_ensemble
    from defectkeras.training import train as training
    from defectkeras.training.strategy import choose_devices

    if config.refit:
        raise TrainingError(
            "`refit` must be off with --folds: each micrograph is learned from by all "
            "folds but one already. Received: on."
        )
    spec, name = load_spec_of(request)
    run_folder = request.chosen_run_folder(name)
    examples = (*spec.of_split("train"), *spec.of_split("val"))
    folds = assign_folds(
        [e.specimen for e in examples], request.folds, seed=config.seed
    )
    devices = choose_devices(config.strategy)
    logger.info("Devices: %s", devices.reason)
    if devices.workers > 1:
        raise TrainingError("Folds are trained on one machine. Set strategy to one.")
    if not request.resume:
        write_request(request, run_folder, spec)
    runs = []
    for fold in range(request.folds):
        folder = run_folder / f"fold_{fold + 1}"
        logger.info("Fold %d of %d: %s", fold + 1, request.folds, folder)
        settings = dataclasses.replace(config, seed=config.seed + fold)
        resume = request.resume and (folder / "checkpoint.npz").exists()
        own = dataclasses.replace(request, run_folder=folder, resume=resume)
        model = build_model_for(own, spec, settings, devices)
        try:
            run = training.train(
                model,
                [e for e, f in zip(examples, folds, strict=True) if f != fold],
                [e for e, f in zip(examples, folds, strict=True) if f == fold],
                spec.scheme,
                settings,
                run_folder=folder,
                resume=resume,
                devices=devices,
                on_progress=on_progress,
            )
        except TrainingError as error:  # it is all folds together that go on
            resumable = str(error).replace(
                f"--resume {folder}", f"--resume {run_folder}"
            )
            raise type(error)(resumable) from error
        runs.append(run)
    held_out = [
        [e for e, f in zip(examples, folds, strict=True) if f == fold]
        for fold in range(request.folds)
    ]
    tuned = _tune(held_out, runs, spec, config) if config.tune_thresholds else None
    card = make_card(
        request,
        spec,
        config,
        name=name,
        model=runs[0].model,
        pixel_size_range_nm=pixel_size_range(examples, config),
        split={
            "folds": [[e.name for e in fold] for fold in held_out],
            "test": [e.name for e in spec.of_split("test")],
        },
        metrics={
            "split": "folds",
            "protocol": "each fold by the model that has not seen it; whole "
            "micrographs, pixels pooled, most probable class; the ensemble itself is "
            "not scored here",
            "mean_defect_iou": sum(run.best_score for run in runs) / len(runs),
            "folds": [validation_scores(run) for run in runs],
            **({"tuned_thresholds": tuned.to_dict()} if tuned else {}),
        },
        thresholds=tuned.thresholds if tuned else None,
        applicability=learn_references(
            examples, target_pixel_size_nm=config.target_pixel_size_nm
        ),
    )
    version = ModelRegistry(request.registry_root).publish(
        name,
        build_ensemble([run.model for run in runs]),
        card,
        golden_image=golden_image(spec),
        extra_files={"dataset_spec.toml": spec.path},
    )
    return version, tuple(runs)


def _tune(
    held_out: Sequence[Sequence[Example]],
    runs: "Sequence[TrainingRun]",
    spec: DatasetSpec,
    config: "TrainingConfig",
) -> TunedThresholds:
    """Choose thresholds on all folds, each predicted by the model that it validated."""
    examples: list[LoadedExample] = []
    unseen_by: dict[int, Predict] = {}
    for fold, run in zip(held_out, runs, strict=True):
        predict = predict_probabilities(
            run.model,
            spec.scheme,
            target_pixel_size_nm=config.target_pixel_size_nm,
            augment=config.augment_predictions,
        )
        loaded = [load_example(e, spec.scheme) for e in fold]
        examples += loaded
        unseen_by |= {id(e.micrograph): predict for e in loaded}
    tuned = tune_thresholds(
        examples,
        remember(lambda m: unseen_by[id(m)](m)),
        spec.scheme,
        split="folds",
    )
    logger.info("%s", tuned)
    return tuned
