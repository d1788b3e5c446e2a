"""`defectkeras data init`: a first data spec for a folder."""

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from defectkeras.cli.annotation_options import ENCODINGS, object_class_option
from defectkeras.cli.options import (
    POSITIVE,
    calibration_options,
    complete_models,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    registry_option,
    talk,
)
from defectkeras.cli.text_folder import TextFolder

EXAMPLES = """\b
Examples:
  defectkeras data init steel --class void --class dislocation:line
  defectkeras data init my_fields --model precipitates-cr --dry-run
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", type=TextFolder(exists=True))
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME[:KIND]",
    help="A defect class, in the order of the index from 1; KIND is region or line; "
    "repeatable. Shapes of labelme, COCO and ImageJ name theirs themselves, and masks "
    "in colors have class_1 and so on.",
)
@click.option(
    "--model",
    shell_complete=complete_models,
    help="Model of the registry whose classes these are, in place of --class.",
)
@click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    help="What masks hold: numbers of classes (from 0, or from 1 as ilastik writes "
    "them), 0/255, object numbers, or colors. [default: what fits all of them]",
)
@object_class_option
@click.option(
    "--line-width-px", type=POSITIVE, help="Width of drawn lines that have none."
)
@calibration_options
@registry_option
@overwrite_option
@dry_run_option
@json_option
def init(
    folder: Path,
    classes: tuple[str, ...],
    model: str | None,
    object_class: str | None,
    line_width_px: float | None,
    registry_root: Path,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    **known: Any,
) -> None:
    """Write a data spec for what lies in FOLDER.

    Micrographs and annotations have the same names in micrographs/ (or images/) and
    annotations/ (masks/, labels/), or lie side by side: field_1.tif and field_1.json
    or field_1_mask.png. What was found is told, with all problems; the file is yours
    to correct.
    """
    from defectkeras.core.files import require_free, write_whole
    from defectkeras.datasets.check import validate_form
    from defectkeras.datasets.write import FILE_NAME, to_toml
    from defectkeras.micrographs.annotations.read import Hints
    from defectkeras.registry.store import ModelRegistry
    from defectkeras.workflows.draft_spec import DraftRequest, color_pixels, draft_spec

    if model and not classes:
        defects = ModelRegistry(registry_root).resolve(model).card.scheme.defects
        classes = tuple(f"{c.name}:{c.kind}" for c in defects)
    hints = Hints(object_class=object_class, line_width_px=line_width_px)
    form = draft_spec(DraftRequest(folder, classes, hints=hints, **known))
    pixels = color_pixels(form, folder)
    path, text = folder / FILE_NAME, to_toml(form)
    require_free(path, overwrite=overwrite)
    problems = validate_form(form, path)
    if as_json:
        echo_json(
            {
                "spec": str(path),
                "written": not dry_run,
                "contents": asdict(form),
                "color_pixels": pixels,
                "problems": [asdict(p) | {"path": str(p.path)} for p in problems],
            }
        )
    else:
        click.echo(text, nl=False)
    for (color, count), named in zip(pixels.items(), form.classes, strict=False):
        talk(f"{color}: {named.name}, {count} pixels")
    for problem in problems:
        talk(f"{problem.severity}: {problem.path}: {problem.message}")
    if dry_run:
        talk(f"Would write {path}.")
    else:
        write_whole(path, text)
        spec = shlex.quote(str(path))
        talk(f"Wrote {path}. Look it over, then: defectkeras data validate {spec}")
        talk(
            f"Next: defectkeras finetune MODEL {spec} --name NAME, or "
            f"defectkeras train {spec} --name NAME"
        )
    if any(problem.severity == "error" for problem in problems):
        sys.exit(1)
