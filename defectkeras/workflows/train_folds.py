"""k-fold training by specimen: an ensemble of all folds, or one network of all."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defectkeras.core.errors import TrainingError
from defectkeras.core.labels import LabelScheme
from defectkeras.datasets.folds import assign_folds
from defectkeras.datasets.spec import DatasetSpec, Example, load_example
from defectkeras.registry.folders import require_writable
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.training.interruption import resume_command
from defectkeras.workflows.fresh_model import build_model_for
from defectkeras.workflows.refit import refit, split_of
from defectkeras.workflows.train import golden_image, load_spec_of
from defectkeras.workflows.training_card import (
    make_card,
    pixel_size_range,
    validation_scores,
)
from defectkeras.workflows.training_request import (
    REFIT,
    TrainingRequest,
    write_request,
)
from defectkeras.workflows.trust.applicability import learn_references
from defectkeras.workflows.trust.held_out import (
    HeldOut,
    examples_of,
    hold_out,
    predict_held_out,
)
from defectkeras.workflows.trust.learn import Trust, learn_trust
from defectkeras.workflows.trust.thresholds import tune_thresholds

if TYPE_CHECKING:
    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.progress import TrainingProgress
    from defectkeras.training.strategy import Devices
    from defectkeras.training.train import TrainingRun

logger = logging.getLogger(__name__)

SPLIT = "folds"
PROTOCOL = (
    "each fold by the model that has not seen it; whole micrographs, pixels pooled, "
    "most probable class; what is published, which has seen all, is not scored here"
)


def train_folds(
    request: TrainingRequest,
    config: "TrainingConfig",
    *,
    on_progress: "Callable[[TrainingProgress], None] | None" = None,
) -> "tuple[ModelVersion, tuple[TrainingRun, ...]]":
    """Train one model per fold, and publish their ensemble or one model of all.

    The examples of the training and the validation split, if there is one, are
    shared out by specimen. Each model learns from all folds but one and is validated
    on that one, so that each score is of micrographs that the model has not seen. What
    is published has seen them all: only the test split can tell how good it is.

    An ensemble has no temperature for that reason. With `refit` one more model is
    trained on all folds, for as many epochs as were best on the mean over the folds,
    and published alone; its scores, temperature, thresholds and certainty are those of
    the models of the folds, together, on what each had not seen.

    Args:
        request: With the number of folds.
        config: The settings; model k of them has the seed plus k, that of all folds
            the seed.
        on_progress: Called after each step and each validation of each model.

    Returns:
        The new version and the runs of the folds.

    Raises:
        DatasetError: When there are fewer specimens than folds.
        TrainingError: When a fold shows no defect, a run cannot start, go on or end
            well, or there are several machines.
        RegistryError: When the version cannot be published.
    """
    from defectkeras.models.ensemble import build_ensemble
    from defectkeras.models.temperature import with_temperature
    from defectkeras.training.strategy import choose_devices

    spec, name = load_spec_of(request)
    run_folder = request.chosen_run_folder(name)
    examples = (*spec.of_split("train"), *spec.of_split("val"))
    folds = _share_out(examples, request.folds, seed=config.seed)
    _require_defects(folds, spec.scheme)
    devices = choose_devices(config.strategy)
    logger.info("Devices: %s", devices.reason)
    if devices.workers > 1:
        raise TrainingError("Folds are trained on one machine. Set strategy to one.")
    require_writable(ModelRegistry(request.registry_root).root / name)
    if not request.resume:
        write_request(request, run_folder, spec)
    runs = _train_each(request, config, spec, folds, run_folder, devices, on_progress)
    if config.refit:
        epochs = best_common_epoch(runs)
        again = refit(
            request,
            spec,
            config,
            first=runs[0].run_folder,
            epochs=epochs,
            folder=run_folder / REFIT,
            devices=devices,
            on_progress=on_progress,
        )
        held_out = _hold_out_each(runs, folds, spec)
        trust = learn_trust(held_out, spec, config, split=SPLIT)
        model = with_temperature(again, trust.temperature)
        scores = [validation_scores(run, epochs) for run in runs]
        summary = {"best_epoch": epochs, "scores": _mean_over(scores)}
    else:
        model = build_ensemble([run.model for run in runs])
        trust = _trust_in_ensemble(runs, folds, spec, config)
        scores = [validation_scores(run) for run in runs]
        summary = {"mean_defect_iou": sum(r.best_score for r in runs) / len(runs)}
    card = make_card(
        request,
        spec,
        config,
        name=name,
        model=runs[0].model,
        pixel_size_range_nm=pixel_size_range(examples, config),
        split={
            **split_of(spec, refitted=True),
            SPLIT: [[e.name for e in fold] for fold in folds],
        },
        metrics={
            "split": SPLIT,
            "refitted": config.refit,
            "protocol": PROTOCOL,
            **summary,
            SPLIT: scores,
        },
        trust=trust,
    )
    version = ModelRegistry(request.registry_root).publish(
        name,
        model,
        card,
        golden_image=golden_image(spec),
        extra_files={"dataset_spec.toml": spec.path},
    )
    return version, runs


def best_common_epoch(runs: "Sequence[TrainingRun]") -> int:
    """Give the epoch, from 1, that is best on the mean over runs of the same length.

    Args:
        runs: Of the folds. An epoch that one of them did not reach does not count.
    """
    scores = zip(
        *([row["val_mean_defect_iou"] or 0.0 for row in run.history] for run in runs),
        strict=False,
    )
    means = [sum(of_epoch) for of_epoch in scores]
    return means.index(max(means)) + 1


def _share_out(
    examples: Sequence[Example], count: int, *, seed: int
) -> list[list[Example]]:
    """Give the examples of each fold."""
    numbers = assign_folds([e.specimen for e in examples], count, seed=seed)
    return [
        [e for e, number in zip(examples, numbers, strict=True) if number == fold]
        for fold in range(count)
    ]


def _require_defects(folds: Sequence[Sequence[Example]], scheme: LabelScheme) -> None:
    """See that each fold can be validated on, before the first model is trained."""
    for number, fold in enumerate(folds, start=1):
        if not any((load_example(e, scheme).class_map > 0).any() for e in fold):
            names = ", ".join(e.name for e in fold)
            raise TrainingError(
                "Each fold must have annotated pixels of a defect. Received: none in "
                f"fold {number} of {len(folds)} ({names}). Take fewer folds, or "
                "another --seed."
            )


def _train_each(
    request: TrainingRequest,
    config: "TrainingConfig",
    spec: DatasetSpec,
    folds: Sequence[Sequence[Example]],
    run_folder: Path,
    devices: "Devices",
    on_progress: "Callable[[TrainingProgress], None] | None",
) -> "tuple[TrainingRun, ...]":
    """Train a model without each of the folds, or go on with it."""
    from defectkeras.training import train as training
    from defectkeras.training.checkpoint import CHECKPOINT
    from defectkeras.training.run_folder import folder_of_fold

    everything = (*spec.of_split("train"), *spec.of_split("val"))
    runs = []
    for number, fold in enumerate(folds):
        folder = folder_of_fold(run_folder, number)
        logger.info("Fold %d of %d: %s", number + 1, len(folds), folder)
        settings = dataclasses.replace(config, seed=config.seed + number)
        resume = request.resume and (folder / CHECKPOINT).exists()
        own = dataclasses.replace(request, run_folder=folder, resume=resume)
        model = build_model_for(own, spec, settings, devices)
        held = set(fold)
        try:
            run = training.train(
                model,
                [e for e in everything if e not in held],
                fold,
                spec.scheme,
                settings,
                run_folder=folder,
                resume=resume,
                devices=devices,
                on_progress=on_progress,
            )
        except TrainingError as error:  # it is all folds together that go on
            resumable = str(error).replace(
                resume_command(folder), resume_command(run_folder)
            )
            raise type(error)(resumable) from (error.__cause__ or error)
        runs.append(run)
    return tuple(runs)


def _hold_out_each(
    runs: "Sequence[TrainingRun]",
    folds: Sequence[Sequence[Example]],
    spec: DatasetSpec,
) -> list[HeldOut]:
    """Load all examples, each for the model that has not seen it."""
    return [
        hold_out(run.model, fold, spec.scheme)
        for run, fold in zip(runs, folds, strict=True)
    ]


def _trust_in_ensemble(
    runs: "Sequence[TrainingRun]",
    folds: Sequence[Sequence[Example]],
    spec: DatasetSpec,
    config: "TrainingConfig",
) -> Trust:
    """Tune the thresholds if asked for, and look at the micrographs."""
    metrics: dict[str, Any] = {}
    thresholds: dict[str, float] = {}
    if config.tune_thresholds:
        held_out = _hold_out_each(runs, folds, spec)
        predict = predict_held_out(held_out, spec.scheme, config)
        tuned = tune_thresholds(
            examples_of(held_out), predict, spec.scheme, split=SPLIT
        )
        logger.info("%s", tuned)
        metrics["tuned_thresholds"], thresholds = tuned.to_dict(), tuned.thresholds
    applicability = learn_references(
        (*spec.of_split("train"), *spec.of_split("val")),
        target_pixel_size_nm=config.target_pixel_size_nm,
    )
    return Trust(1.0, thresholds, metrics, applicability)


def _mean_over(scores: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Give the mean of each score over the folds; None where one has no value."""
    found: dict[str, float | None] = {}
    for name in scores[0]:
        values = [of_fold[name] for of_fold in scores]
        known = [value for value in values if value is not None]
        found[name] = sum(known) / len(known) if len(known) == len(values) else None
    return found
