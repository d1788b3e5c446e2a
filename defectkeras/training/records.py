"""What is told of an epoch: its row in the history, and the TensorBoard log."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from defectkeras.core.labels import LabelScheme
from defectkeras.training.run_folder import LOGS
from defectkeras.training.validation import Validation

PANELS_PER_RUN = 20  # keeps the log of a long run small


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


def history_row(**numbers: float) -> dict[str, float | None]:
    """Give one row of the history; a score without a value is None."""
    return {k: None if math.isnan(v) else v for k, v in numbers.items()}


class TensorBoardLog:
    """Write scalars per class, and at times a panel of one validation field.

    Args:
        run_folder: The log goes to its folder "logs".
        epochs: Of the run, at most.
    """

    def __init__(self, run_folder: Path, epochs: int) -> None:
        self.writer = tf.summary.create_file_writer(str(run_folder / LOGS))
        self.panel_every = math.ceil(epochs / PANELS_PER_RUN)

    def wants_panel(self, epoch: int) -> bool:
        """Tell whether an epoch, from 1, gets a panel."""
        return (epoch - 1) % self.panel_every == 0

    def write(
        self,
        row: Mapping[str, Any],
        *,
        panel: NDArray[np.uint8] | None = None,
        name: str = "",
    ) -> None:
        """Write the scalars of an epoch, and its panel.

        Args:
            row: Of the history.
            panel: (H, W, 3) picture, or None.
            name: Of the micrograph in the panel.
        """
        with self.writer.as_default(step=row["epoch"]):
            for key, value in row.items():
                if key not in ("epoch", "seconds") and value is not None:
                    tf.summary.scalar(_tag(key), value)
            if panel is not None:
                tf.summary.image(
                    "micrograph | annotation | prediction",
                    panel[None],
                    description=name,
                )
        self.writer.flush()


def _tag(name: str) -> str:
    """Group the curves: "val_iou_void" is "val_iou/void"."""
    for score in ("iou", "f1", "precision", "recall"):
        prefix = f"val_{score}_"
        if name.startswith(prefix):
            return f"val_{score}/{name.removeprefix(prefix)}"
    return name
