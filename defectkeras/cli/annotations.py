"""`defectkeras annotations`: to and from other tools."""

from pathlib import Path
from typing import Any

import click

from defectkeras.cli.annotation_options import hint_options, hints_from
from defectkeras.cli.main import FriendlyGroup
from defectkeras.cli.options import (
    EXISTING,
    FOLDER,
    POSITIVE,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.core.plurals import counted

EXAMPLES = """\b
Examples:
  defectkeras annotations convert results drawn --to labelme --micrographs fields
  defectkeras annotations convert drawn labels --to labels --line-width-px 5
"""


@click.group(cls=FriendlyGroup)
def annotations() -> None:
    """Bring annotations to other tools and back."""


@annotations.command(epilog=EXAMPLES)
@click.argument("source", type=EXISTING)
@click.argument("output_folder", type=FOLDER)
@click.option(
    "--to",
    "target",
    type=click.Choice(["labelme", "coco", "imagej", "labels", "classes"]),
    required=True,
    help="labelme JSON, COCO JSON, ImageJ RoiSet, TIFF of object numbers (napari), "
    "or PNG of class indices.",
)
@hint_options
@click.option("--pixel-size-nm", type=POSITIVE, help="For --line-width-nm.")
@overwrite_option
@dry_run_option
@json_option
def convert(
    source: Path,
    output_folder: Path,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    **known: Any,
) -> None:
    """Convert SOURCE into files of another tool in OUTPUT_FOLDER.

    SOURCE is an annotation, a folder of them, or the results of `analyze`.
    """
    from defectkeras.workflows.convert_annotations import (
        ConversionRequest,
        convert_annotations,
    )

    hints = hints_from(known)
    request = ConversionRequest(source, output_folder, hints=hints, **known)
    with progress_bar("converting") as on_progress:
        converted = convert_annotations(
            request, overwrite=overwrite, dry_run=dry_run, on_progress=on_progress
        )
    if as_json:
        echo_json([done.to_dict() for done in converted])
    for done in converted:
        if not as_json:
            counts = ", ".join(f"{n} {name}" for name, n in done.objects.items())
            click.echo(f"{done.name} -> {done.path}: {counts}")
        if done.stale:
            talk(f"{done.name} is {done.stale}")
        if done.overlapping:
            covered = counted(done.overlapping, "object")
            talk(
                f"{done.name}: later ones lie over {covered} "
                f"and hide {done.hidden} wholly; in a map the later ones count."
            )
    if request.target in ("labels", "classes"):
        talk(_how_to_read(request.target, converted[0].classes))
    if dry_run:
        talk("Nothing was written.")


def _how_to_read(target: str, classes: tuple[str, ...]) -> str:
    """Say what the numbers in a PNG or TIFF need to be read back as they were."""
    if target == "labels" and len(classes) > 1:
        return (
            "Object numbers do not tell the classes, of which there are "
            f"{len(classes)}; --to labelme, coco, imagej or classes keep them."
        )
    encoding = "--encoding objects " if target == "labels" else ""
    options = " ".join(f"--class {text}" for text in classes)
    return f"Numbers do not tell their class; read them with {encoding}{options}."
