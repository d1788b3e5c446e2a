"""One row of scores for each fold of a candidate, and one for all of its folds."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from defectkeras.quantification.settings import QuantifySettings
from defectkeras.workflows.benchmark.candidates import Candidate
from defectkeras.workflows.evaluation.scores import Evaluation

Row = dict[str, Any]

QUANTITIES = {
    "count_error_percent": ("count",),
    "area_fraction_error_percent": ("area_fraction_percent",),
    "mean_size_error_percent": ("mean_{size}_nm", "mean_{size}_px"),
    "line_length_error_percent": ("line_length_nm", "line_length_px"),
}
"""Column to quantities; of a class the first that has a value. `size` is what counts
as the diameter in the class."""

SCORES = ("iou", "iou_over_images", "f1", "boundary_f1", "object_f1", *QUANTITIES)
TIMES = (
    "seconds_per_megapixel",
    "cpu_seconds_per_megapixel",
    "window_seconds_per_megapixel",
)
MEAN_COSTS = ("training_seconds", "training_cpu_seconds")
FIXED_COSTS = ("parameters", "gflops_per_megapixel")


def fold_scores(evaluation: Evaluation) -> Row:
    """Give the scores of a fold, each the mean over the defect classes that have it.

    Args:
        evaluation: Of the micrographs that were held out.

    Returns:
        `SCORES`; pixels, boundaries and objects are pooled over the micrographs,
        errors of quantities are means of absolute errors over the micrographs.
    """
    told = evaluation.to_dict()
    names = [c.name for c in evaluation.scheme.defects]
    row: Row = {
        "iou_over_images": _mean(told["mean_iou_over_images"][n] for n in names)
    }
    for score in ("iou", "f1", "boundary_f1", "object_f1"):
        row[score] = _mean(told["classes"][name][score] for name in names)
    errors = {
        (r["class_name"], r["name"]): r["mean_absolute_error_percent"]
        for r in told["quantities"]
    }
    sizes = {name: QuantifySettings().size_of(name) for name in names}
    for column, quantities in QUANTITIES.items():
        found = (
            [errors.get((name, q.format(size=size))) for q in quantities]
            for name, size in sizes.items()
        )
        row[column] = _mean(next((v for v in f if v is not None), None) for f in found)
    return {score: row[score] for score in SCORES}


def summarize(rows: Sequence[Row], candidates: Sequence[Candidate]) -> pd.DataFrame:
    """Give mean and spread over the folds of each candidate.

    Args:
        rows: One for each candidate and fold, "key" among it.
        candidates: In the order of the table.

    Returns:
        One row per candidate: group, candidate, folds, each score, its spread
        (`<score>_spread`, standard deviation with n - 1) and in how many folds it has a
        value (`<score>_folds`; where nothing is found nothing has a size), parameters,
        operations, the mean of the training times, and the shortest times of a
        prediction.
    """
    table = pd.DataFrame(rows)
    summary = []
    for candidate in candidates:
        own = table[table["key"] == candidate.key]
        numbers = own[[*SCORES, *FIXED_COSTS, *MEAN_COSTS, *TIMES]].astype("float64")
        means, spreads, counted = numbers.mean(), numbers.std(), numbers.count()
        row: Row = {
            "group": candidate.group,
            "candidate": candidate.name,
            "folds": len(own),
        }
        for score in SCORES:
            row |= {
                score: means[score],
                f"{score}_spread": spreads[score],
                f"{score}_folds": int(counted[score]),
            }
        row |= {cost: means[cost] for cost in (*FIXED_COSTS, *MEAN_COSTS)}
        row |= {time: numbers[time].min() for time in TIMES}
        summary.append(row)
    return pd.DataFrame(summary)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None
