"""`defectkeras quantify`: a class map from any tool, measured."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from defectkeras.cli.annotation_options import encoding_options, object_class_option
from defectkeras.cli.options import (
    EXISTING,
    FOLDER,
    POSITIVE,
    calibration_options,
    command_line,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    quantify_options,
    talk,
)
from defectkeras.cli.quantities import echo_quantities

EXAMPLES = """\b
Examples:
  defectkeras quantify mask.png --encoding binary --class void --pixel-size-nm 0.5
  defectkeras quantify map.png --class dislocation:line --class void --out results
  defectkeras quantify RoiSet.zip --micrograph field.tif --out results
"""


@click.command(epilog=EXAMPLES)
@click.argument("class_map", type=EXISTING)
@encoding_options
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME[:KIND]",
    help="A defect class, in the order of the index from 1; KIND is region or line.",
)
@object_class_option
@click.option(
    "--line-width-px", type=POSITIVE, help="Width of drawn lines that have none."
)
@click.option("--micrograph", type=EXISTING, help="The micrograph that it belongs to.")
@click.option("--out", type=FOLDER, help="Folder for tables, pictures and a page.")
@calibration_options
@quantify_options
@overwrite_option
@dry_run_option
@json_option
def quantify(
    class_map: Path,
    micrograph: Path | None,
    out: Path | None,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    **known: Any,
) -> None:
    """Measure the defects in CLASS_MAP, drawn with any tool.

    Maps are PNG, TIFF or .npy; shapes are JSON of labelme or COCO, .roi or .zip of
    ImageJ (which need --micrograph) and name their classes themselves.
    """
    from defectkeras.quantification.settings import QuantifySettings
    from defectkeras.workflows.measure import CalibrationErrors
    from defectkeras.workflows.quantify import (
        ClassMapRequest,
        quantify_class_map,
        quantify_into_folder,
    )

    errors = {f.name: known.pop(f.name) for f in fields(CalibrationErrors)}
    chosen = {
        f.name: known.pop(f.name) for f in fields(QuantifySettings) if f.name in known
    }
    request = ClassMapRequest(
        class_map,
        micrograph_path=micrograph,
        errors=CalibrationErrors(**errors),
        settings=QuantifySettings(**chosen),
        **known,
    )
    if out is None or dry_run:
        result = quantify_class_map(request)
    else:
        result = quantify_into_folder(
            request, out, overwrite=overwrite, command=command_line()
        )
    if as_json:
        echo_json(result.to_dict())
    else:
        echo_quantities(str(class_map), result)
    for warning in (*result.warnings, *result.calibration.notes()):
        talk(warning)
    if out is not None:
        talk(f"{'Would write' if dry_run else 'Open'} {out / 'report.html'}")
