"""`defectkeras analyze`: from micrographs to measured defects."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defectkeras.cli.options import (
    FOLDER,
    calibration_options,
    dry_run_option,
    echo_json,
    json_option,
    model_option,
    overwrite_option,
    quantify_options,
    registry_option,
    runtime_option,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quantities import echo_quantities
from defectkeras.cli.quiet import start_tensorflow

if TYPE_CHECKING:
    from defectkeras.workflows.analyze import Analysis, AnalysisPlan


@click.command()
@click.argument("micrographs", nargs=-1, required=True, type=click.Path(path_type=Path))
@model_option
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
    "--augment",
    is_flag=True,
    help="Average over eight views; better, and eight times as long.",
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
@runtime_option
@overwrite_option
@registry_option
@dry_run_option
@json_option
def analyze(
    micrographs: tuple[Path, ...],
    model: str,
    out: Path,
    pixel_size_nm: float | None,
    foil_thickness_nm: float | None,
    frame: int | None,
    rescale: bool,
    augment: bool,
    min_area_px: int,
    tile_size: int,
    batch_size: int,
    runtime: str,
    overwrite: bool,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
    pixel_size_sigma_nm: float | None,
    foil_thickness_sigma_nm: float | None,
    foil_thickness_source: str | None,
    **choices: Any,
) -> None:
    """Find and measure the defects in MICROGRAPHS (files or folders).

    Writes, for each micrograph, overlay.png, class_map.png, summary.json, figures/,
    data_dictionary.csv and tables (CSV and Parquet) of objects, lines, sizes and how
    they lie; and over all report.html, quantities, fields (mean over the fields) and
    fits (of the sizes).
    A file that cannot be read is told and the rest goes on; exit status 1 then.
    """
    start_tensorflow()
    from defectkeras.quantification.settings import QuantifySettings
    from defectkeras.workflows.analyze import (
        AnalyzeSettings,
        analyze,
        plan_analysis,
    )
    from defectkeras.workflows.measure import CalibrationErrors
    from defectkeras.workflows.segment import SegmentSettings

    settings = AnalyzeSettings(
        segment=SegmentSettings(
            tile_size=tile_size,
            batch_size=batch_size,
            augment=augment,
            rescale=rescale,
            min_area_px=min_area_px,
            runtime=runtime,
        ),
        pixel_size_nm=pixel_size_nm,
        foil_thickness_nm=foil_thickness_nm,
        frame=frame,
        errors=CalibrationErrors(
            pixel_size_sigma_nm, foil_thickness_sigma_nm, foil_thickness_source
        ),
        quantify=QuantifySettings(**choices),
    )
    if dry_run:
        plan = plan_analysis(micrographs, model, out, registry_root, overwrite)
        _tell_plan(plan, as_json)
        return
    with progress_bar("analyzing") as on_progress:
        analysis = analyze(
            micrographs,
            model,
            output_folder=out,
            settings=settings,
            registry_root=registry_root,
            overwrite=overwrite,
            command=shlex.join(["defectkeras", *sys.argv[1:]]),
            on_progress=on_progress,
        )
    _tell(analysis, as_json)
    if analysis.failed:
        sys.exit(1)


def _tell(analysis: "Analysis", as_json: bool) -> None:
    if as_json:
        echo_json(
            {
                "page": str(analysis.page),
                "micrographs": [
                    {
                        "name": report.name,
                        "warnings": report.warnings,
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
        for warning in report.warnings:
            talk(f"{report.name}: {warning}")
    for failed in analysis.failed:
        talk(f"failed: {failed.reason}")
    talk(
        f"Analyzed {len(analysis.reports)} micrographs, {len(analysis.failed)} failed."
    )
    talk(f"Open {analysis.page}")


def _tell_plan(plan: "AnalysisPlan", as_json: bool) -> None:
    """Say what would be read and written."""
    model = plan.version.reference
    folders = {str(path): str(folder) for path, folder in plan.folders.items()}
    talk(f"Would analyze {len(folders)} micrographs with {model}.")
    if as_json:
        echo_json({"model": model, "folders": folders})
        return
    for path, folder in folders.items():
        click.echo(f"{path} -> {folder}")
