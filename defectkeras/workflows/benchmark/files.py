"""The files of a benchmark: tables for programs, figures for people."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from defectkeras.core.files import write_whole
from defectkeras.reporting.benchmark_figures import draw_cost, draw_scores
from defectkeras.reporting.tables import write_table
from defectkeras.workflows.benchmark.scores import Row


def write_benchmark(
    table: pd.DataFrame, rows: Sequence[Row], folder: Path
) -> list[Path]:
    """Write a benchmark into its folder.

    Args:
        table: One row per candidate, of `summarize`.
        rows: One for each candidate and fold.
        folder: For benchmark.csv, folds.csv, scores.svg and cost.svg. Files of these
            names are replaced.

    Returns:
        The files.
    """
    folds = pd.DataFrame(rows).drop(columns="micrographs")
    for name, written in (("benchmark.csv", table), ("folds.csv", folds)):
        write_table(written, folder / name)
    for name, svg in (
        ("scores.svg", draw_scores(table)),
        ("cost.svg", draw_cost(table)),
    ):
        write_whole(folder / name, svg)
    names = ("benchmark.csv", "folds.csv", "scores.svg", "cost.svg")
    return [folder / name for name in names]
