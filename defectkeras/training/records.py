"""What is told of an epoch: its row in the history."""

import math

from defectkeras.core.labels import LabelScheme
from defectkeras.training.validation import Validation


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
