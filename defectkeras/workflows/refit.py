"""Learn once more, from all that is annotated, when it is known how long."""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defectkeras.datasets.spec import DatasetSpec
from defectkeras.workflows.fresh_model import build_model_for
from defectkeras.workflows.training_request import TrainingRequest

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.progress import TrainingProgress
    from defectkeras.training.strategy import Devices

logger = logging.getLogger(__name__)


def refit(
    request: TrainingRequest,
    spec: DatasetSpec,
    config: "TrainingConfig",
    *,
    first: Path,
    epochs: int,
    folder: Path,
    devices: "Devices",
    on_progress: "Callable[[TrainingProgress], None] | None" = None,
) -> "keras.Model":
    """Train a new model as others were, on the training and validation split.

    It learns for as many epochs as were best for them, at the same rates. What it
    is worth no split can tell: the scores of the others are those of models that
    knew less.

    Args:
        request: Of the first run, or of the folds.
        spec: With folds it may have no validation split.
        config: The settings.
        first: Folder of the first run, finished, whose precision is taken.
        epochs: For how many it learns.
        folder: Of the new run; one that is there goes on where it was stopped.
        devices: Where it computes.
        on_progress: Called after each step and each validation.

    Returns:
        The model in float32, without a temperature.

    Raises:
        TrainingError: When the run cannot start, go on or end well.
    """
    from defectkeras.training import train as training
    from defectkeras.training.checkpoint import CHECKPOINT
    from defectkeras.training.run_folder import ENVIRONMENT, read_run_file

    precision = read_run_file(first, ENVIRONMENT)["precision"]
    config = dataclasses.replace(config, precision=precision)
    resume = (folder / CHECKPOINT).exists()
    again = dataclasses.replace(request, run_folder=folder, resume=resume)
    examples = (*spec.of_split("train"), *spec.of_split("val"))
    logger.info(
        "Learning again from all %d micrographs, for %d epochs.",
        len(examples),
        epochs,
    )
    run = training.train(
        build_model_for(again, spec, config, devices),
        examples,
        spec.of_split("val") or examples[:1],  # the score decides nothing
        spec.scheme,
        config,
        run_folder=folder,
        resume=resume,
        keep_epoch=epochs,
        devices=devices,
        on_progress=on_progress,
    )
    return run.model


def split_of(spec: DatasetSpec, *, refitted: bool) -> dict[str, Any]:
    """Give the names of the examples by what they served a version for.

    Args:
        spec: The data spec.
        refitted: Whether it has learned from the validation split, too.
    """
    names = {
        split: [e.name for e in spec.of_split(split)]
        for split in ("train", "val", "test")
    }
    if refitted:
        return {**names, "train": names["train"] + names["val"], "val": []}
    return names
