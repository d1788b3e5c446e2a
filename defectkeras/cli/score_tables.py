"""The scores of an evaluation as tables on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from defectkeras.core.plurals import counted

_PIPE_WIDTH = 140  # where stdout is no terminal and so has no width

CLASSES = {
    "class": "class_name",
    "IoU": "iou",
    "IoU mean": "iou_mean",
    "precision": "precision",
    "recall": "recall",
    "F1": "f1",
    "boundary F1": "boundary_f1",
    "object F1": "object_f1",
    "calibration error": "calibration_error",
}
MICROGRAPHS = {
    "micrograph": "micrograph",
    "class": "class_name",
    "IoU": "iou",
    "F1": "f1",
    "boundary F1": "boundary_f1",
    "object F1": "object_f1",
}
QUANTITIES = {
    "class": "class_name",
    "quantity": "name",
    "micrographs": "micrographs",
    "mean error (%)": "mean_error_percent",
    "mean absolute error (%)": "mean_absolute_error_percent",
}
SIZES = {
    "class": "class_name",
    "true objects": "true_count",
    "predicted": "predicted_count",
    "KS": "kolmogorov_smirnov",
    "Wasserstein": "wasserstein",
    "unit": "unit",
    "reason": "reason",
}


def show_scores(scores: Mapping[str, Any]) -> None:
    """Print the scores for people.

    Args:
        scores: Of `Evaluation.to_dict`.
    """
    count = counted(len(scores["micrographs"]), "micrograph")
    click.echo(f"{scores['model']} on {scores['dataset']} {scores['split']}, {count}")
    means = scores["mean_iou_over_images"]
    _show_table(
        "Pooled, class by class",
        CLASSES,
        [row | {"iou_mean": means[name]} for name, row in scores["classes"].items()],
    )
    pixels = {k: _text(v) for k, v in scores["pixels_pooled"].items() if k != "classes"}
    click.echo(
        f"All classes: pixel accuracy {pixels['pixel_accuracy']}, IoU macro "
        f"{pixels['mean_iou']} and micro {pixels['micro_iou']}, calibration error "
        f"{_text(scores['calibration_error'])}. Defects alone: IoU macro "
        f"{pixels['mean_defect_iou']} and micro {pixels['micro_defect_iou']}.\n"
        f"Boundaries match within {scores['tolerance_px']:g} px, objects "
        f"{scores['object_rule']}."
    )
    _show_table(
        "Micrographs",
        MICROGRAPHS,
        [
            row | {"micrograph": part["micrograph"]}
            for part in scores["per_micrograph"]
            for row in list(part["classes"].values())[1:]  # without the matrix
        ],
    )
    _show_table(
        "Errors of the quantities over the micrographs",
        QUANTITIES,
        [r for r in scores["quantities"] if r["mean_error_percent"] is not None],
    )
    _show_table("Size distributions, pooled", SIZES, scores["sizes"])


def _show_table(
    title: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Print a table, text to the left and numbers to the right."""
    if not rows:
        return
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for header, key in columns.items():
        is_text = any(isinstance(row[key], str) for row in rows)
        table.add_column(header, justify="left" if is_text else "right")
    for row in rows:
        table.add_row(*(escape(_text(row[key], key)) for key in columns.values()))
    print_table(table)


def print_table(table: Table) -> None:
    """Print a table on stdout, wide where that is no terminal."""
    console = Console()
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    console.print(table)


def _text(value: float | str | None, key: str = "") -> str:
    """Write a score with three decimals, and a percentage with one."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}" if key.endswith("_percent") else f"{value:.3f}"
