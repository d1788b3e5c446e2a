"""`defectkeras evaluate`: a model version against annotations."""

from pathlib import Path

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
    runtime_option,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quiet import start_tensorflow
from defectkeras.cli.score_tables import show_scores


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
@click.option(
    "--tolerance-px",
    type=click.FloatRange(min=0),
    default=2.0,
    help="How far a boundary may be off.",
)
@click.option("--out", type=FOLDER, help="Folder for JSON, tables and figures.")
@runtime_option
@root_option
@registry_option
@dry_run_option
@json_option
def evaluate(
    spec: Path,
    model: str,
    split: str,
    augment: bool,
    tolerance_px: float,
    out: Path | None,
    runtime: str,
    root: Path | None,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Compare a model with the annotations of SPEC: pixels, objects, quantities.

    Scores are told per micrograph and pooled: pixels, boundaries, objects,
    calibration, quantities and size distributions. docs/metrics.md has every
    definition.
    """
    start_tensorflow()
    from defectkeras.workflows.evaluate import evaluate
    from defectkeras.workflows.evaluation_files import write_evaluation
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
            settings=SegmentSettings(augment=augment, runtime=runtime),
            tolerance_px=tolerance_px,
            on_progress=on_progress,
        )
    scores = evaluation.to_dict()
    if out is not None:
        files = write_evaluation(evaluation, out)
        talk(f"Wrote {', '.join(file.name for file in files)} into {out}.")
    if as_json:
        echo_json(scores)
    else:
        show_scores(scores)
