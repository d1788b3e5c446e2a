"""`defectkeras analyze`: from micrographs to measured defects."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defectkeras.cli.methods import choose_method, method_options
from defectkeras.cli.options import (
    FOLDER,
    calibration_options,
    command_line,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    quantify_options,
    registry_option,
    runtime_options,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quantities import echo_quantities
from defectkeras.cli.quiet import start_tensorflow
from defectkeras.core.plurals import counted

if TYPE_CHECKING:
    from defectkeras.workflows.analysis.plan import AnalysisPlan
    from defectkeras.workflows.analyze import Analysis


def parse_shard(
    ctx: click.Context, param: click.Parameter, text: str | None
) -> tuple[int, int] | None:
    """Turn I/N into two numbers."""
    if text is None:
        return None
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise click.BadParameter(f"{text!r} must be I/N, such as 1/8.")
    return int(part), int(parts)


EXAMPLES = """\b
Examples:
  defectkeras analyze field.dm4 --model dci-stem --foil-thickness-nm 120 --out results
  defectkeras analyze fields --model loops --pixel-size-nm 0.8 --out results
"""


@click.command(epilog=EXAMPLES)
@click.argument("micrographs", nargs=-1, required=True, type=click.Path(path_type=Path))
@method_options
@click.option("--out", type=FOLDER, required=True, help="Folder for the results.")
@calibration_options
@quantify_options
@click.option("--frame", type=click.IntRange(0), help="Frame of a stack, from 0.")
@click.option(
    "--rescale",
    is_flag=True,
    help="Resample a micrograph to the nearest pixel size that the model knows.",
)
@click.option(
    "--augment/--no-augment",
    default=None,
    help="Average over the views that the model has learned from, eight or two, whose "
    "spread goes into the error bars; better, and as many times as long. "
    "[default: as the card of the model says]",
)
@click.option(
    "--spread",
    type=click.Choice(["none", "members", "dropout"]),
    default="none",
    help="Put the spread of an ensemble's members, or of eight passes with dropout, "
    "into the error bars.",
)
@click.option(
    "--min-area-px",
    type=click.IntRange(0),
    default=0,
    help="Leave out objects of fewer pixels.",
)
@click.option(
    "--tile-size", type=click.IntRange(32), default=512, help="Side of a tile in px."
)
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=4,
    help="Tiles at once; memory grows with it.",
)
@runtime_options
@click.option(
    "--classes-only",
    is_flag=True,
    help="With --runtime serving: send the whole micrograph, in 8 or 16 bits where it "
    "has them, and take classes alone back; no confidence of objects.",
)
@overwrite_option
@click.option("--fail-fast", is_flag=True, help="Stop at the first file that fails.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes on this machine. [default: one per GPU or four cores]",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Let the workers of a Dask cluster do the work (extra `dask`).",
)
@click.option(
    "--shard",
    metavar="I/N",
    callback=parse_shard,
    help="Do part I of N only; afterwards the same without --shard collects.",
)
@registry_option
@dry_run_option
@json_option
def analyze(
    micrographs: tuple[Path, ...],
    model: str | None,
    method: str | None,
    polarity: str,
    out: Path,
    pixel_size_nm: float | None,
    foil_thickness_nm: float | None,
    frame: int | None,
    rescale: bool,
    augment: bool | None,
    spread: Any,
    min_area_px: int,
    tile_size: int,
    batch_size: int,
    runtime: str,
    url: str | None,
    classes_only: bool,
    overwrite: bool,
    fail_fast: bool,
    workers: int | None,
    scheduler: str | None,
    shard: tuple[int, int] | None,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
    pixel_size_sigma_nm: float | None,
    foil_thickness_sigma_nm: float | None,
    foil_thickness_source: str | None,
    **choices: Any,
) -> None:
    """Find and measure the defects in MICROGRAPHS.

    These are files or folders. Writes, for each, overlay.png, class_map.png,
    summary.json, figures/, data_dictionary.csv and tables (CSV and Parquet) of objects,
    lines, sizes and how they lie; and over all of them report.html, the page to open
    first, quantities, fields (mean over the fields), fits (of the sizes), objects and
    lines of all micrographs, and these once more in tables.xlsx, for Excel. A file that
    cannot be read is told, listed in failures.jsonl, and the rest goes on; exit status
    1 then. Results of the same micrograph, model and settings are kept: a run that was
    stopped goes on where it was.
    """
    choice = choose_method(
        model,
        method,
        polarity,
        of_models={
            "--rescale": rescale,
            "--spread": spread != "none",
            "--runtime": runtime != "tensorflow",
            "--url": url is not None,
            "--classes-only": classes_only,
        },
    )
    from defectkeras.micrographs.find import notes_of_left_out
    from defectkeras.quantification.settings import QuantifySettings
    from defectkeras.workflows.analysis.plan import BatchSettings, plan_analysis
    from defectkeras.workflows.analyze import analyze
    from defectkeras.workflows.analyze_settings import AnalyzeSettings
    from defectkeras.workflows.measure import CalibrationErrors
    from defectkeras.workflows.segment import SegmentSettings

    settings = AnalyzeSettings(
        segment=SegmentSettings(
            tile_size=tile_size,
            batch_size=batch_size,
            augment=augment,
            spread=spread,
            rescale=rescale,
            min_area_px=min_area_px,
            runtime=runtime,
            url=url,
            classes_only=classes_only,
        ),
        pixel_size_nm=pixel_size_nm,
        foil_thickness_nm=foil_thickness_nm,
        frame=frame,
        errors=CalibrationErrors(
            pixel_size_sigma_nm, foil_thickness_sigma_nm, foil_thickness_source
        ),
        quantify=QuantifySettings(**choices),
    )
    batch = BatchSettings(overwrite, fail_fast, workers, scheduler, shard)
    plan = plan_analysis(
        micrographs,
        choice or str(model),
        out,
        settings=settings,
        registry_root=registry_root,
        batch=batch,
    )  # tells what is wrong with the names before TensorFlow starts
    for note in notes_of_left_out(micrographs):
        talk(note)
    if dry_run:
        _tell_plan(plan, as_json)
        return
    has_tensorflow = runtime in ("tensorflow", "serving") or spread != "none"
    is_here = scheduler is None and workers in (None, 1)
    if choice is None and has_tensorflow and is_here:
        start_tensorflow()  # else other processes have the network
    with progress_bar("analyzing") as on_progress:
        analysis = analyze(
            micrographs,
            choice or str(model),
            output_folder=out,
            settings=settings,
            registry_root=registry_root,
            batch=batch,
            command=command_line(),
            on_progress=on_progress,
        )
    _tell(analysis, as_json)
    if analysis.failed:
        sys.exit(1)


def _tell(analysis: "Analysis", as_json: bool) -> None:
    if as_json:
        echo_json(
            {
                "page": None if analysis.page is None else str(analysis.page),
                "kept": analysis.kept,
                "notes": list(analysis.notes),
                "micrographs": [
                    {
                        "name": report.name,
                        "warnings": report.all_warnings,
                        "applicability": report.applicability,
                        "quantities": [
                            q.to_dict() for q in report.quantification.quantities
                        ],
                    }
                    for report in analysis.reports
                ],
                "failed": [
                    {"name": failed.name, "reason": failed.reason}
                    for failed in analysis.failed
                ],
            }
        )
    else:
        for report in analysis.reports:
            echo_quantities(report.name, report.quantification)
    for report in analysis.reports:
        for warning in report.all_warnings:
            talk(f"{report.name}: {warning}")
    failures = (f"failed: {failed.name}: {failed.reason}" for failed in analysis.failed)
    for line in (*analysis.notes, *failures):
        talk(line)
    _tell_counts(analysis)


def _tell_counts(analysis: "Analysis") -> None:
    """Say how many were done, and what comes next."""
    done = len(analysis.reports) - analysis.kept
    talk(f"Analyzed {counted(done, 'micrograph')}, {len(analysis.failed)} failed.")
    if analysis.kept:
        talk(f"Kept the same results of {analysis.kept}; --overwrite makes them again.")
    if analysis.untried:
        talk(f"Left {analysis.untried}, since one failed.")
    if analysis.page is None:
        talk("After all shards, run the same without --shard: it collects the results.")
    else:
        talk(f"Open {analysis.page}")


def _tell_plan(plan: "AnalysisPlan", as_json: bool) -> None:
    """Say what would be read and written."""
    model = plan.run.model.reference if plan.run.model else ""
    folders = {str(task.path): str(task.folder) for task in plan.tasks}
    older = sum(task.folder.exists() for task in plan.tasks)
    count = counted(len(folders), "micrograph")
    talk(f"Would analyze {count} with {model}; {older} with results.")
    for note in plan.notes:
        talk(note)
    if as_json:
        echo_json({"model": model, "folders": folders, "notes": list(plan.notes)})
        return
    for path, folder in folders.items():
        click.echo(f"{path} -> {folder}")
