"""`defectkeras compare`: annotators and models side by side."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defectkeras.cli.annotation_options import ENCODINGS, hint_options, hints_from
from defectkeras.cli.decimal import Decimal
from defectkeras.cli.options import (
    FOLDER,
    calibration_options,
    command_line,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    registry_option,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quiet import start_tensorflow

if TYPE_CHECKING:
    from defectkeras.micrographs.annotations.read import Hints
    from defectkeras.quantification.comparison import Comparison
    from defectkeras.workflows.compare import ComparisonPlan

EXAMPLES = """\b
Examples:
  defectkeras compare anna=masks_a ben=masks_b --encoding objects --class loop
  defectkeras compare anna ben dci-stem@1 --micrographs fields --out comparison
"""


@click.command(epilog=EXAMPLES)
@click.argument("operands", nargs=-1, required=True, metavar="[LABEL=]A [LABEL=]B ...")
@hint_options
@click.option(
    "--encoding-of",
    multiple=True,
    metavar="LABEL=ENCODING",
    help="The encoding of one annotator, where it differs.",
)
@calibration_options
@click.option(
    "--machine",
    "machines",
    multiple=True,
    metavar="LABEL",
    help="Files that a model has made, not a person.",
)
@click.option(
    "--min-iou",
    type=Decimal(0, 1, min_open=True),
    default=0.5,
    help="Two objects are the same one from this intersection over union on.",
)
@click.option("--out", type=FOLDER, help="Folder for tables, figures and a page.")
@overwrite_option
@registry_option
@dry_run_option
@json_option
def compare(
    operands: tuple[str, ...],
    encoding_of: tuple[str, ...],
    out: Path | None,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    **known: Any,
) -> None:
    """Compare annotators: people, models, versions of a model.

    Each is a file or folder of annotations of any format, a results folder of
    `analyze`, or a model of the registry, NAME@VERSION, run on --micrographs.
    Fields belong together by the name of the micrograph.
    """
    from defectkeras.workflows.compare import (
        ComparisonRequest,
        compare,
        compare_into_folder,
        plan_comparison,
    )
    from defectkeras.workflows.operands import find_models

    if find_models(operands, known["registry_root"]):  # a wrong name is told at once
        start_tensorflow()

    hints = _hints_by_label(hints_from(known), encoding_of)
    request = ComparisonRequest(operands, hints=hints, **known)
    if dry_run:
        _tell_plan(plan_comparison(request), out, as_json)
        return
    with progress_bar("comparing") as on_progress:
        if out is None:
            comparison = compare(request, on_progress=on_progress)
        else:
            comparison = compare_into_folder(
                request,
                out,
                overwrite=overwrite,
                command=command_line(),
                on_progress=on_progress,
            )
    _tell(comparison, as_json)
    if out is not None:
        talk(f"Open {out / 'comparison.html'}")


def _tell_plan(plan: "ComparisonPlan", out: Path | None, as_json: bool) -> None:
    """Say who would be compared, and on what."""
    annotators = [operand.annotator for operand in plan.operands]
    classes = [c.name for c in plan.scheme.defects]
    for note in plan.notes:
        talk(note)
    if out is not None:
        talk(f"Would write to {out}.")
    if as_json:
        echo_json(
            {
                "annotators": [asdict(annotator) for annotator in annotators],
                "classes": classes,
                "fields": list(plan.fields),
                "out": None if out is None else str(out),
            }
        )
        return
    for annotator in annotators:
        kind = "model" if annotator.is_model else "person"
        click.echo(f"{annotator.label}: {kind}, {annotator.source}")
    click.echo(f"classes: {', '.join(classes)}")
    click.echo(f"fields: {', '.join(plan.fields)}")


def _hints_by_label(hints: "Hints", told: tuple[str, ...]) -> dict[str, "Hints"]:
    """Give the hints of all, and those of each label that differs."""
    by_label = {"": hints}
    for text in told:
        label, _, encoding = text.partition("=")
        if encoding not in ENCODINGS:
            raise click.BadParameter(
                f"{text!r} must be LABEL=ENCODING, one of {', '.join(ENCODINGS)}."
            )
        by_label[label] = replace(hints, encoding=encoding)
    return by_label


def _tell(comparison: "Comparison", as_json: bool) -> None:
    """Print the comparison for programs or for people."""
    from defectkeras.reporting.comparison_tables import to_json
    from defectkeras.reporting.comparison_text import comparison_lines

    if as_json:
        echo_json(to_json(comparison))
    else:
        for line in comparison_lines(comparison):
            click.echo(line)
    for note in comparison.notes:
        talk(note)
