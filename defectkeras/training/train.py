"""Train a model on patches, validate it on whole micrographs, keep the best."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from defectkeras.core.errors import TrainingError
from defectkeras.core.labels import LabelScheme
from defectkeras.datasets.spec import Example, LoadedExample
from defectkeras.losses import build_loss, median_frequency_weights
from defectkeras.models.receptive_field import model_stride
from defectkeras.pipelines.input_pipeline import (
    build_training_dataset,
    require_known_cardinality,
)
from defectkeras.pipelines.store import ImageStore, load_store
from defectkeras.training.callbacks import KeepBest, StopOnBadLoss
from defectkeras.training.config import TrainingConfig
from defectkeras.training.optimizer import build_optimizer
from defectkeras.training.progress import OnProgress
from defectkeras.training.records import TellProgress, WriteHistory, WriteTensorBoard
from defectkeras.training.run_folder import BEST_WEIGHTS, Row, start_run_folder

StopReason = Literal["finished", "early_stopping", "interrupted"]


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A finished run.

    Attributes:
        model: With the best weights.
        history: One row per epoch: "epoch", "seconds", "learning_rate", "loss"
            and the validation's scores; None where a score has no value.
        best_epoch: The epoch of the best weights, from 1.
        best_score: Its mean IoU of the defects on the validation split.
        run_folder: Where the files of the run are.
        stop_reason: "finished" (all epochs), "early_stopping" or "interrupted".
    """

    model: keras.Model
    history: tuple[Row, ...]
    best_epoch: int
    best_score: float
    run_folder: Path
    stop_reason: StopReason

    def __str__(self) -> str:
        """Say in one line how the run ended and which weights were kept."""
        ends = {
            "finished": "Trained all epochs",
            "early_stopping": f"Stopped after epoch {len(self.history)}, "
            "since it became no better",
            "interrupted": f"Interrupted after epoch {len(self.history)}",
        }
        return (
            f"{ends[self.stop_reason]}; kept the weights of epoch "
            f"{self.best_epoch}, with a mean IoU of the defects of "
            f"{self.best_score:.3f} on the validation split, in "
            f"{self.run_folder / BEST_WEIGHTS}."
        )


def train(
    model: keras.Model,
    training_examples: Sequence[Example | LoadedExample],
    validation_examples: Sequence[Example | LoadedExample],
    scheme: LabelScheme,
    config: TrainingConfig,
    *,
    run_folder: Path | str,
    on_progress: OnProgress | None = None,
) -> TrainingRun:
    """Train a model and keep the weights that do best on the validation split.

    Call `seed_everything(config.seed)` and set the precision before the model
    is built. The order of the data is a pure function of (seed, epoch).

    Args:
        model: (B, H, W, 1) to logits (B, H, W, K); or one map of logits where
            there is one defect class. It is trained in place.
        training_examples: Patches are drawn from these.
        validation_examples: Whole micrographs, predicted once per epoch.
        scheme: The K classes.
        config: The settings.
        run_folder: New; for the files of the run.
        on_progress: Told after each step and each validation.

    Returns:
        The run, its model with the best weights. After Ctrl-C too, once an
        epoch is done.

    Raises:
        TrainingError: When the run cannot start (no validation split, nothing
            annotated, sizes or classes that do not fit), cannot be written (full
            disk, folder not writable), the loss is no number, or memory runs
            out. The best weights so far stay in the run folder.
    """
    run_folder = Path(run_folder)
    if not validation_examples:
        raise TrainingError(
            "Training needs a validation split, to know which weights are best. "
            'Received: no example in "val". Name some under [split] in the data spec.'
        )
    stride = model_stride(model)
    _check_model(model, scheme, config, stride)
    training = load_store(training_examples, scheme)
    validation = load_store(validation_examples, scheme)
    for split, store in (("train", training), ("val", validation)):
        _check_defects(split, store, scheme)
    keep_best = KeepBest(
        validation,
        scheme,
        config,
        run_folder=run_folder,
        stride=stride,
        panel_example=int(np.argmax(validation.class_counts[:, 1:].sum(axis=1))),
    )
    history = WriteHistory(run_folder)
    callbacks = [
        StopOnBadLoss(training, config, run_folder),
        keep_best,
        history,
        WriteTensorBoard(keep_best, config, run_folder),
    ]
    if on_progress:
        callbacks.append(TellProgress(on_progress, keep_best, config))
    was_interrupted = False
    try:
        start_run_folder(
            run_folder, config, model, {"train": training, "val": validation}
        )
        _fit(model, training, scheme, config, callbacks)
    except KeyboardInterrupt:
        was_interrupted = True
    except OSError as error:
        raise TrainingError(
            f"{run_folder}: the run could not be written. {error}. Free some space "
            "or name another folder; what was written before is kept."
        ) from error
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError(
            "The memory or the disk is full. Lower `batch_size` (now "
            f"{config.batch_size}) or `patch_size` (now {config.patch_size}), or "
            f"free some space. {str(error).splitlines()[0]}"
        ) from error
    return _finish(model, keep_best, history, was_interrupted)


def _fit(
    model: keras.Model,
    store: ImageStore,
    scheme: LabelScheme,
    config: TrainingConfig,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    """Fit on one dataset that holds all epochs one after another."""
    dataset = build_training_dataset(
        store, config.pipeline(), epochs=config.epochs, steps=config.steps_per_epoch
    )
    require_known_cardinality(dataset)
    num_maps = model.output_shape[-1]
    loss = build_loss(
        config.loss,
        num_classes=num_maps,
        class_weights=resolve_class_weights(config, store),
        line_classes=[c.index for c in scheme.defects if c.kind == "line"],
    )
    model.compile(build_optimizer(config), loss, jit_compile=False)
    model.fit(
        dataset,
        epochs=config.epochs,
        steps_per_epoch=config.steps_per_epoch,
        callbacks=callbacks,
        shuffle=False,  # the order is the dataset's own
        verbose=0,
    )


def resolve_class_weights(
    config: TrainingConfig, store: ImageStore
) -> tuple[float, ...] | None:
    """Give the weight of each class in the cross-entropy, or None for equal ones.

    Args:
        config: Names a rule, or the weights.
        store: The training examples, whose pixels are counted.
    """
    if not isinstance(config.class_weights, str):
        return config.class_weights
    if config.class_weights == "none":
        return None
    cap = config.class_weight_cap
    weights = median_frequency_weights(store.class_counts)
    return tuple(float(np.clip(w, 1 / cap, cap)) for w in weights)


def _check_model(
    model: keras.Model, scheme: LabelScheme, config: TrainingConfig, stride: int
) -> None:
    """Check that model, scheme and patches fit together."""
    num_maps = model.output_shape[-1]
    if num_maps != scheme.num_classes and (num_maps, scheme.num_classes) != (1, 2):
        raise TrainingError(
            f"The model must give one map for each of {scheme.num_classes} classes "
            "(or a single one for one defect class). "
            f"Received: {num_maps} maps. Build it with num_classes="
            f"{scheme.num_classes}."
        )
    if config.patch_size % stride:
        raise TrainingError(
            f"`patch_size` must be a multiple of the model's stride, {stride}. "
            f"Received: {config.patch_size}."
        )


def _check_defects(split: str, store: ImageStore, scheme: LabelScheme) -> None:
    """Check that a split shows a defect at all."""
    if store.class_counts[:, 1:].any():
        return
    names = ", ".join(c.name for c in scheme.defects)
    raise TrainingError(
        f'The split "{split}" must have annotated pixels of a defect ({names}). '
        f"Received: none in {len(store)} examples. Check its annotations with "
        "`defectkeras data describe`, or move examples under [split]."
    )


def _finish(
    model: keras.Model,
    keep_best: KeepBest,
    history: WriteHistory,
    was_interrupted: bool,
) -> TrainingRun:
    """Give the model its best weights back."""
    run_folder = history.run_folder
    if keep_best.best_epoch is None or keep_best.best_score is None:
        raise TrainingError(
            "Interrupted before the first epoch was done: there are no weights to "
            f"keep in {run_folder}."
        )
    model.load_weights(run_folder / BEST_WEIGHTS)
    stop_reason: StopReason = "finished"
    if was_interrupted:
        stop_reason = "interrupted"
    elif keep_best.has_stopped_early:
        stop_reason = "early_stopping"
    return TrainingRun(
        model=model,
        history=tuple(history.rows),
        best_epoch=keep_best.best_epoch,
        best_score=keep_best.best_score,
        run_folder=run_folder,
        stop_reason=stop_reason,
    )
