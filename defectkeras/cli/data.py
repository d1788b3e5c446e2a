"""`defectkeras data`: sets of annotated micrographs."""

import sys
from pathlib import Path
from typing import Any

import click

from defectkeras.cli.data_init import init
from defectkeras.cli.decimal import Decimal
from defectkeras.cli.main import FriendlyGroup
from defectkeras.cli.options import (
    EXISTING,
    FOLDER,
    NEW_FILE,
    POSITIVE,
    complete_models,
    dry_run_option,
    echo_json,
    json_option,
    registry_option,
    root_option,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.survey import echo_survey
from defectkeras.core.plurals import counted


@click.group(cls=FriendlyGroup)
def data() -> None:
    """Check, describe and make sets of annotated micrographs."""


data.add_command(init)


@data.command()
@click.argument("spec", type=EXISTING)
@click.option(
    "--model",
    shell_complete=complete_models,
    help="Model whose classes the annotations have, where SPEC is a folder without a "
    "data spec, as `defectkeras finetune` takes it.",
)
@root_option
@registry_option
@json_option
def validate(
    spec: Path,
    model: str | None,
    root: Path | None,
    registry_root: Path,
    as_json: bool,
) -> None:
    """List all problems of the data that SPEC describes, at once."""
    import dataclasses

    from defectkeras.datasets.check import validate_dataset_spec
    from defectkeras.registry.store import ModelRegistry
    from defectkeras.workflows.own_fields import validate_fields

    if spec.is_dir():
        version = ModelRegistry(registry_root).resolve(model) if model else None
        scheme = version.card.scheme if version else None
        problems = validate_fields(spec, scheme, root=root)
    else:
        problems = validate_dataset_spec(spec, root=root)
    errors = [p for p in problems if p.severity == "error"]
    if as_json:
        echo_json([dataclasses.asdict(p) | {"path": str(p.path)} for p in problems])
    for problem in [] if as_json else problems:
        click.echo(f"{problem.severity}: {problem.path}: {problem.message}")
    talk(f"Errors: {len(errors)}, warnings: {len(problems) - len(errors)}.")
    if errors:
        sys.exit(1)


@data.command()
@click.argument("spec", type=EXISTING)
@click.option(
    "--contact-sheet",
    type=NEW_FILE,
    help="PNG file for a sheet of all micrographs with their annotations.",
)
@root_option
@dry_run_option
@json_option
def describe(
    spec: Path,
    contact_sheet: Path | None,
    root: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Show sizes, classes, grey levels and objects of SPEC."""
    from defectkeras.datasets.describe import describe_dataset
    from defectkeras.datasets.spec import load_dataset_spec
    from defectkeras.workflows.contact_sheet import write_contact_sheet

    loaded = load_dataset_spec(spec, root=root)
    facts = describe_dataset(loaded).to_dict()
    if as_json:
        echo_json(facts)
    else:
        _echo_facts(facts)
    if contact_sheet is not None:
        if not dry_run:
            write_contact_sheet(loaded, contact_sheet)
        talk(f"{'Would write' if dry_run else 'Wrote'} {contact_sheet}.")


@data.command()
@click.argument("spec", type=EXISTING)
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    help="Part of the data; all of it without.",
)
@root_option
@json_option
def fingerprint(
    spec: Path, split: str | None, root: Path | None, as_json: bool
) -> None:
    """Measure what `defectkeras plan` must know of SPEC."""
    from defectkeras.datasets.spec import load_dataset_spec
    from defectkeras.datasets.survey import survey_examples
    from defectkeras.quantification.line_graph import widths_in_mask_px

    loaded = load_dataset_spec(spec, root=root)
    examples = loaded.require_split(split) if split else loaded.examples
    survey = survey_examples(examples, loaded.scheme, widths_in_mask_px)
    if as_json:
        echo_json(survey.to_dict())
    else:
        echo_survey(survey)


@data.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--preset",
    default="dci-stem",
    help="Kind of micrographs: dci-stem, bright-field-tem, dislocations, "
    "precipitates, voids or loops.",
)
@click.option("--count", default=10, type=click.IntRange(1), help="How many.")
@click.option("--rows", default=512, type=click.IntRange(32), help="Height in px.")
@click.option("--columns", default=640, type=click.IntRange(32), help="Width in px.")
@click.option(
    "--pixel-size-nm",
    "pixel_sizes_nm",
    type=POSITIVE,
    multiple=True,
    default=[1.0],
    help="Pixel size in nm; with several, the micrographs take turns.",
)
@click.option(
    "--foil-thickness-nm", default=100.0, type=POSITIVE, help="Foil thickness in nm."
)
@click.option(
    "--seed", default=0, type=click.IntRange(0), help="Same seed, same files."
)
@click.option(
    "--val-fraction",
    default=0.2,
    type=Decimal(0, 1, max_open=True),
    help="Share of the micrographs, the last ones, for validation.",
)
@dry_run_option
@json_option
def synthesize(
    folder: Path,
    rows: int,
    columns: int,
    pixel_sizes_nm: tuple[float, ...],
    dry_run: bool,
    as_json: bool,
    **plan: Any,
) -> None:
    """Make synthetic micrographs of known truth in FOLDER.

    Their defects are known in three dimensions.
    """
    from defectkeras.workflows.synthesize import (
        SynthesisPlan,
        require_new,
        synthesize_dataset,
    )

    wanted = SynthesisPlan(shape=(rows, columns), pixel_sizes_nm=pixel_sizes_nm, **plan)
    spec = folder / "dataset.toml"
    if dry_run:
        require_new(folder, wanted)
        talk(f"Would write to {folder}: {wanted.describe()}")
    else:
        with progress_bar("synthesizing") as on_progress:
            spec = synthesize_dataset(folder, wanted, on_progress=on_progress)
        talk(f"Wrote {counted(wanted.count, 'micrograph')} and {spec}.")
    if as_json:
        echo_json({"spec": str(spec), "names": wanted.names(), "written": not dry_run})


def _echo_facts(facts: dict[str, Any]) -> None:
    """Print a description for people: the set, its classes, its examples."""
    click.echo(f"{facts['name']}: {facts['description']}")
    click.echo(f"license {facts['license']}, from {facts['source']}")
    counts = ", ".join(f"{n} {split}" for split, n in facts["num_examples"].items())
    click.echo(f"micrographs: {counts}")
    for row in facts["classes"]:
        click.echo(f"  {_class_line(row)}")
    for example in facts["examples"]:
        height, width = example["shape"]
        size = example["pixel_size_nm"]
        scale = "pixel size unknown" if size is None else f"{size:.4g} nm/px"
        click.echo(
            f"{example['name']} ({example['split']}) {height} x {width}, {scale}"
        )
        levels = ", ".join(f"{level:.4g}" for level in example["grey_percentiles"])
        percents = ", ".join(f"{p:g}" for p in facts["grey_percentiles"])
        click.echo(f"  grey levels at {percents} %: {levels}")
        for row in example["classes"]:
            click.echo(f"  {_class_line(row)}")


def _class_line(row: dict[str, Any]) -> str:
    """Say what one class takes of a micrograph or of a set."""
    line = f"{row['name']:<14} {row['kind']:<7} {row['area_fraction_percent']:6.2f} %"
    objects = row["objects"]
    if objects is None or objects["count"] == 0:
        return line
    diameter_nm = objects["median_equivalent_diameter_nm"]
    in_nm = "" if diameter_nm is None else f" = {diameter_nm:.3g} nm"
    count = counted(objects["count"], "object")
    diameter_px = objects["median_equivalent_diameter_px"]
    return f"{line}  {count}, median {diameter_px:.3g} px{in_nm}"
