"""`defectkeras benchmark SPEC`: architectures, losses and methods on equal terms."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich import box
from rich.markup import escape
from rich.table import Table

from defectkeras.cli.options import (
    EXISTING,
    FOLDER,
    config_option,
    dry_run_option,
    echo_json,
    json_option,
    plan_option,
    root_option,
    set_option,
    talk,
    tolerance_option,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quiet import start_tensorflow
from defectkeras.cli.score_tables import print_table

if TYPE_CHECKING:
    import pandas as pd

    from defectkeras.workflows.benchmark.candidates import Candidate
    from defectkeras.workflows.benchmark.scores import Row


SCORES = {
    "iou": "IoU",
    "iou_over_images": "mean of images",
    "f1": "F1",
    "boundary_f1": "boundary F1",
    "object_f1": "object F1",
}
ERRORS = {
    "count_error_percent": "count off, %",
    "area_fraction_error_percent": "area off, %",
    "mean_size_error_percent": "size off, %",
    "line_length_error_percent": "length off, %",
}
COSTS = {
    "parameters": "parameters",
    "gflops_per_megapixel": "GFLOP/MP",
    "training_seconds": "training s",
    "training_cpu_seconds": "CPU s",
    "seconds_per_megapixel": "s/MP",
    "cpu_seconds_per_megapixel": "CPU s/MP",
    "window_seconds_per_megapixel": "by windows",
}


@click.command("candidates")
@click.argument("spec", type=EXISTING)
@click.option(
    "--architectures",
    default="",
    show_default=False,
    metavar="NAMES",
    help="Networks, joined by commas, with arguments where they differ from the "
    "default, as in 'unet(filters=16), defectsegnet'; or all.",
)
@click.option(
    "--upsampling",
    default="",
    show_default=False,
    metavar="NAMES",
    help="Ways of upsampling in the decoder of the network of --set architecture=...; "
    "or all.",
)
@click.option(
    "--losses",
    default="",
    show_default=False,
    metavar="EXPRESSIONS",
    help="Losses for that network, as in 'ce, 0.5*ce + 0.5*dice'; or all.",
)
@click.option(
    "--methods",
    default="",
    show_default=False,
    metavar="NAMES",
    help="Methods without a network: otsu, ridges, random_forest, ...; or all.",
)
@click.option(
    "--folds", default=3, type=click.IntRange(2), help="Parts, by file or specimen."
)
@click.option(
    "--steps", default=300, type=click.IntRange(1), help="Steps of each training."
)
@click.option(
    "--polarity",
    type=click.Choice(["dark", "bright"]),
    default="dark",
    help="Whether a method looks for what is darker or brighter than the matrix.",
)
@tolerance_option
@click.option(
    "--out",
    type=FOLDER,
    default=Path("benchmark"),
    help="Folder of the results; what is there is not computed again.",
)
@plan_option
@config_option
@set_option
@root_option
@dry_run_option
@json_option
def benchmark_candidates(
    spec: Path,
    architectures: str,
    upsampling: str,
    losses: str,
    methods: str,
    folds: int,
    steps: int,
    polarity: Literal["dark", "bright"],
    tolerance_px: float,
    out: Path,
    plan: Path | None,
    config: Path | None,
    any_settings: dict[str, Any],
    root: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Cross-validate networks, losses and methods on SPEC.

    On equal terms: each learns from the same files with the same number of patches,
    augmentation and rates, and is judged on those held out. Without a choice all of all
    kinds are compared; that takes long, can be stopped, and goes on with the same
    command.
    """
    from defectkeras.datasets.spec import load_dataset_spec

    dataset = load_dataset_spec(spec, root=root)  # a fault is told at once
    start_tensorflow()
    from defectkeras.reporting.tables import plain_rows
    from defectkeras.training.settings import read_layers, resolve_settings
    from defectkeras.workflows.benchmark.candidates import choose_candidates
    from defectkeras.workflows.benchmark.cross_validation import (
        Protocol,
        benchmark_candidates,
    )
    from defectkeras.workflows.benchmark.files import write_benchmark
    from defectkeras.workflows.benchmark.scores import summarize

    settings = resolve_settings(read_layers(plan=plan, file=config, flags=any_settings))
    candidates = choose_candidates(
        settings,
        num_classes=dataset.scheme.num_classes,
        architectures=architectures,
        upsampling=upsampling,
        losses=losses,
        methods=methods,
    )
    if dry_run:
        _tell_plan(candidates, folds, out, as_json)
        return
    protocol = Protocol(folds, steps, polarity, tolerance_px)
    with progress_bar("comparing") as on_progress:
        on_progress(0, len(candidates) * folds)  # the first fold takes a while

        def on_fold(done: int, total: int, row: "Row") -> None:
            on_progress(done, total)
            talk(f"{done} of {total}: {row['key']}, fold {row['fold']}: {_iou(row)}")

        rows = benchmark_candidates(
            dataset, candidates, protocol, settings.config, out, on_fold=on_fold
        )
    table = summarize(rows, candidates)
    files = write_benchmark(table, rows, out)
    talk(f"Wrote {', '.join(file.name for file in files)} into {out}.")
    if as_json:
        echo_json(plain_rows(table))
    else:
        for columns in (SCORES, ERRORS, COSTS):
            _show(table, columns)


def _iou(row: "Row") -> str:
    return "no IoU" if row["iou"] is None else f"IoU {row['iou']:.3f}"


def _tell_plan(
    candidates: tuple["Candidate", ...], folds: int, out: Path, as_json: bool
) -> None:
    """Say what would be compared."""
    talk(f"Would compare {len(candidates)} on {folds} folds each, into {out}.")
    if as_json:
        named = [{"group": c.group, "candidate": c.name} for c in candidates]
        echo_json({"candidates": named, "folds": folds, "out": str(out)})
        return
    for candidate in candidates:
        click.echo(f"{candidate.group:<14}{candidate.name}")


def _show(table: "pd.DataFrame", columns: Mapping[str, str]) -> None:
    """Print columns for each candidate; those without a value are left out."""
    shown = [column for column in columns if table[column].notna().any()]
    printed = Table(box=box.SIMPLE_HEAD)
    printed.add_column("candidate", overflow="fold")
    for column in shown:
        printed.add_column(columns[column], justify="right", no_wrap=True)
    for row in table.to_dict("records"):
        cells = [_cell(row, column) for column in shown]
        printed.add_row(escape(str(row["candidate"])), *cells)
    print_table(printed)


def _cell(row: Mapping[Any, Any], column: str) -> str:
    """Write a value with its spread over the folds, if it has one."""
    value, spread = row[column], row.get(f"{column}_spread", math.nan)
    if math.isnan(value):
        return "-"
    if column in SCORES:
        return f"{value:.3f}" + ("" if math.isnan(spread) else f" ± {spread:.3f}")
    if column in ERRORS:
        return f"{value:.0f}" + ("" if math.isnan(spread) else f" ± {spread:.0f}")
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
