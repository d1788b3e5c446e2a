"""`defectkeras evaluate`: a model version against annotations."""

from pathlib import Path
from typing import Any

import click

from defectkeras.cli.options import (
    EXISTING,
    FOLDER,
    dry_run_option,
    echo_json,
    json_option,
    model_option,
    registry_option,
    root_option,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quiet import start_tensorflow


@click.command()
@click.argument("spec", type=EXISTING)
@model_option
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    default="test",
    help="Part of the data.",
)
@click.option("--augment", is_flag=True, help="Average over eight views.")
@click.option("--out", type=FOLDER, help="Folder for evaluation.json, quantities.csv.")
@root_option
@registry_option
@dry_run_option
@json_option
def evaluate(
    spec: Path,
    model: str,
    split: str,
    augment: bool,
    out: Path | None,
    root: Path | None,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Compare a model with the annotations of SPEC: pixels, objects, quantities."""
    start_tensorflow()
    from defectkeras.core.files import write_json
    from defectkeras.reporting.tables import write_table
    from defectkeras.workflows.evaluate import evaluate
    from defectkeras.workflows.segment import SegmentSettings

    if dry_run:
        talk(f'Would evaluate {model} on the split "{split}" of {spec}; out: {out}.')
        return
    with progress_bar("evaluating") as on_progress:
        evaluation = evaluate(
            model,
            spec,
            split=split,
            root=root,
            registry_root=registry_root,
            settings=SegmentSettings(augment=augment),
            on_progress=on_progress,
        )
    scores = evaluation.to_dict()
    if out is not None:
        write_json(out / "evaluation.json", scores)
        write_table(evaluation.quantities(), out / "quantities.csv")
        talk(f"Wrote {out / 'evaluation.json'} and {out / 'quantities.csv'}.")
    if as_json:
        echo_json(scores)
    else:
        _echo_scores(scores)


def _echo_scores(scores: dict[str, Any]) -> None:
    """Print the scores for people."""
    count = f"{len(scores['micrographs'])} micrographs"
    click.echo(f"{scores['model']} on {scores['dataset']} {scores['split']}, {count}")
    click.echo(
        f"{'class':<16}{'IoU pooled':>12}{'IoU mean':>12}{'F1':>8}{'objects F1':>12}"
    )
    means = scores["mean_iou_over_images"]
    for name, row in scores["pixels_pooled"]["classes"].items():
        objects = scores["objects"].get(name, {})
        cells = (row["iou"], means[name], row["f1"], objects.get("f1"))
        widths = (12, 12, 8, 12)
        numbers = [_number(c, w) for c, w in zip(cells, widths, strict=True)]
        click.echo(f"{name:<16}{''.join(numbers)}")
    click.echo("mean error of the quantities, and mean absolute error, in percent")
    for row in scores["quantities"]:
        if row["mean_error_percent"] is not None:
            click.echo(
                f"  {row['class_name']:<14} {row['name']:<40}"
                f"{row['mean_error_percent']:>9.1f}"
                f"{row['mean_absolute_error_percent']:>9.1f}"
            )


def _number(value: float | None, width: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:>{width}.3f}"
