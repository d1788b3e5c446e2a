"""What tells of a run: its history, its TensorBoard log, its progress."""

import math
import time
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from defectkeras.training.callbacks import KeepBest
from defectkeras.training.config import TrainingConfig
from defectkeras.training.panel import draw_panel
from defectkeras.training.progress import OnProgress, TrainingProgress
from defectkeras.training.run_folder import LOGS, Row, write_history

PANELS_PER_RUN = 20  # keeps the log of a long run small


class WriteHistory(keras.callbacks.Callback):
    """Keep one row per epoch, and write all of them after each.

    Args:
        run_folder: Where history.csv goes.
    """

    def __init__(self, run_folder: Path) -> None:
        super().__init__()
        self.run_folder = run_folder
        self.rows: list[Row] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the row of the epoch."""
        row: dict[str, float | None] = {
            "epoch": epoch + 1,
            "seconds": round(time.perf_counter() - self.started, 3),
            "learning_rate": float(self.model.optimizer.learning_rate),
        }
        row |= {k: None if math.isnan(v) else float(v) for k, v in logs.items()}
        self.rows.append(row)
        write_history(self.rows, self.run_folder)


class WriteTensorBoard(keras.callbacks.Callback):
    """Write scalars per class, and at times a panel of one validation field.

    Args:
        keep_best: Has the prediction for the panel.
        config: The settings of the run.
        run_folder: The log goes to its folder "logs".
    """

    def __init__(
        self, keep_best: KeepBest, config: TrainingConfig, run_folder: Path
    ) -> None:
        super().__init__()
        self.keep_best = keep_best
        self.run_folder = run_folder
        self.panel_every = math.ceil(config.epochs / PANELS_PER_RUN)

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the log."""
        self.writer = tf.summary.create_file_writer(str(self.run_folder / LOGS))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch's scalars and, every few epochs, the panel."""
        with self.writer.as_default(step=epoch + 1):
            rate = float(self.model.optimizer.learning_rate)
            tf.summary.scalar("learning_rate", rate)
            for name, value in logs.items():
                if not math.isnan(value):
                    tf.summary.scalar(_tag(name), value)
            if epoch % self.panel_every == 0:
                self._write_panel()
        self.writer.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Close the log."""
        self.writer.close()

    def _write_panel(self) -> None:
        validation = self.keep_best.validation
        if validation is None:
            return
        example = self.keep_best.panel_example
        image, annotation = self.keep_best.store.example(example)
        panel = draw_panel(image, annotation, validation.panel_class_map)
        name = self.keep_best.store.names[example]
        tf.summary.image(
            "micrograph | annotation | prediction", panel[None], description=name
        )


def _tag(name: str) -> str:
    """Group the curves: "val_iou_void" is "val_iou/void"."""
    for score in ("iou", "f1", "precision", "recall"):
        prefix = f"val_{score}_"
        if name.startswith(prefix):
            return f"val_{score}/{name.removeprefix(prefix)}"
    return name


class TellProgress(keras.callbacks.Callback):
    """Tell how far the run is, after each step and each validation.

    Args:
        on_progress: Is told.
        keep_best: Has the scores.
        config: The settings of the run.
    """

    def __init__(
        self, on_progress: OnProgress, keep_best: KeepBest, config: TrainingConfig
    ) -> None:
        super().__init__()
        self.on_progress, self.keep_best = on_progress, keep_best
        self.config = config
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch, from 0."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell the step."""
        self._tell(batch + 1, logs["loss"])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell the validation."""
        self._tell(self.config.steps_per_epoch, logs["loss"])

    def _tell(self, step: int, loss: float) -> None:
        validation = self.keep_best.validation
        self.on_progress(
            TrainingProgress(
                epoch=self.epoch + 1,
                epochs=self.config.epochs,
                step=step,
                steps=self.config.steps_per_epoch,
                loss=loss,
                score=validation.scores.mean_defect_iou if validation else None,
                best_score=self.keep_best.best_score,
                best_epoch=self.keep_best.best_epoch,
            )
        )
