"""What decides over a run: stop at a bad loss, keep the best, stop in time."""

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np

from defectkeras.core.errors import TrainingError
from defectkeras.core.labels import LabelScheme
from defectkeras.pipelines.input_pipeline import names_in_batch
from defectkeras.pipelines.store import ImageStore
from defectkeras.training.config import TrainingConfig
from defectkeras.training.run_folder import BEST_WEIGHTS, save_best_weights
from defectkeras.training.validation import Validation, compile_forward, validate


class StopOnBadLoss(keras.callbacks.Callback):
    """Stop as soon as the loss is no number, and name the step and its files.

    `keras.callbacks.TerminateOnNaN` ends the run as if nothing had happened.

    Args:
        store: The training examples.
        config: The settings of the run.
        run_folder: Where the best weights so far are.
    """

    def __init__(
        self, store: ImageStore, config: TrainingConfig, run_folder: Path
    ) -> None:
        super().__init__()
        self.store, self.config, self.run_folder = store, config, run_folder
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch, from 0."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Check the loss.

        Raises:
            TrainingError: When it is NaN or infinite.
        """
        loss = logs["loss"]
        if math.isfinite(loss):
            return
        names = names_in_batch(
            self.store, self.config.pipeline(), epoch=self.epoch, step=batch
        )
        raise TrainingError(
            f"The loss must stay finite. Received: {loss} in epoch {self.epoch + 1}, "
            f"step {batch + 1}, with patches of {', '.join(names)}. Lower "
            f"`learning_rate` (now {self.config.learning_rate:g}). {self._kept()}"
        )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Check the weights, which the last step may have spoiled.

        Raises:
            TrainingError: When one is NaN or infinite.
        """
        if all(np.isfinite(weights).all() for weights in self.model.get_weights()):
            return
        raise TrainingError(
            f"The weights must stay finite. They do not after epoch {epoch + 1}. "
            f"Lower `learning_rate` (now {self.config.learning_rate:g}). "
            f"{self._kept()}"
        )

    def _kept(self) -> str:
        path = self.run_folder / BEST_WEIGHTS
        if path.exists():
            return f"The best weights so far are kept in {path}."
        return "There are no weights to keep yet."


class KeepBest(keras.callbacks.Callback):
    """Validate after each epoch, keep the best weights, and stop in time.

    Adds the validation's scores to the logs for the callbacks that follow.

    Args:
        store: The validation examples.
        scheme: The classes.
        config: The settings of the run.
        run_folder: Where the best weights go.
        stride: Of the model.
        panel_example: Index of the example whose prediction is kept.
    """

    def __init__(
        self,
        store: ImageStore,
        scheme: LabelScheme,
        config: TrainingConfig,
        *,
        run_folder: Path,
        stride: int,
        panel_example: int,
    ) -> None:
        super().__init__()
        self.store, self.scheme, self.config = store, scheme, config
        self.run_folder, self.stride = run_folder, stride
        self.panel_example = panel_example
        self.best_epoch: int | None = None
        self.best_score: float | None = None
        self.validation: Validation | None = None
        self.has_stopped_early = False

    def on_train_begin(self, logs: Any = None) -> None:
        """Compile the prediction."""
        self.forward = compile_forward(self.model)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Validate, keep the weights if they are the best, or stop."""
        self.validation = validate(
            self.forward,
            self.store,
            num_classes=self.scheme.num_classes,
            stride=self.stride,
            panel_example=self.panel_example,
        )
        logs.update(scores_for_log(self.validation, self.scheme))
        score = self.validation.scores.mean_defect_iou
        if self.best_score is None or score > self.best_score:
            save_best_weights(self.model, self.run_folder)
            self.best_epoch, self.best_score = epoch + 1, score
        elif self.best_epoch is not None:
            self.has_stopped_early = epoch + 1 - self.best_epoch >= self.config.patience
            self.model.stop_training = self.has_stopped_early


def scores_for_log(validation: Validation, scheme: LabelScheme) -> dict[str, float]:
    """Give the scores under the names they have in the history.

    Args:
        validation: Of one epoch.
        scheme: The classes.

    Returns:
        "val_mean_defect_iou", "val_pixel_accuracy", and "val_iou_<class>",
        "val_f1_<class>", "val_precision_<class>", "val_recall_<class>"; NaN
        where a class is not there.
    """
    scores = validation.scores
    logs = {
        "val_mean_defect_iou": scores.mean_defect_iou,
        "val_pixel_accuracy": scores.pixel_accuracy,
    }
    for defect_class in scheme.classes:
        for score in ("iou", "f1", "precision", "recall"):
            value = float(getattr(scores, score)[defect_class.index])
            logs[f"val_{score}_{defect_class.name}"] = value
    return logs
