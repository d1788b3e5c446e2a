"""The files of an evaluation: JSON for programs, tables, figures for people."""

import re
from pathlib import Path

from defectkeras.core.files import write_json, write_whole
from defectkeras.core.palette import class_colors
from defectkeras.reporting.comparison_figures import (
    draw_reliability,
    draw_size_comparison,
)
from defectkeras.reporting.tables import write_table
from defectkeras.workflows.evaluation.scores import Evaluation


def write_evaluation(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write an evaluation into a folder.

    Args:
        evaluation: What was found.
        folder: For evaluation.json, scores.csv, quantities.csv, sizes.csv,
            reliability.csv, reliability.svg and, for each region class,
            sizes_<index>_<class>_<unit>.svg. Files of these names are replaced.

    Returns:
        The files.
    """
    write_json(folder / "evaluation.json", evaluation.to_dict())
    tables = {
        "scores.csv": evaluation.scores(),
        "quantities.csv": evaluation.quantities(),
        "sizes.csv": evaluation.sizes(),
        "reliability.csv": evaluation.reliability(),
    }
    for name, table in tables.items():
        write_table(table, folder / name)
    figures = _draw_figures(evaluation)
    for name, svg in figures.items():
        write_whole(folder / name, svg)
    return [folder / name for name in ("evaluation.json", *tables, *figures)]


def _draw_figures(evaluation: Evaluation) -> dict[str, str]:
    """Draw the reliability of the defects, and the sizes of each region class."""
    scheme, colors = evaluation.scheme, class_colors(evaluation.scheme)
    reliability = evaluation.pooled.classes
    figures = {
        "reliability.svg": draw_reliability(
            {c.name: reliability[c.index] for c in scheme.defects},
            colors={c.name: colors[c.index] for c in scheme.defects},
        )
    }
    for (name, unit), (true, predicted) in evaluation.pooled_sizes().items():
        index = scheme.by_name(name).index
        plain = re.sub(r"[^\w-]+", "_", name)  # what any file system takes
        figures[f"sizes_{index}_{plain}_{unit}.svg"] = draw_size_comparison(
            true, predicted, class_name=name, color=colors[index]
        )
    return figures
