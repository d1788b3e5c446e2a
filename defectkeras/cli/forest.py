"""`defectkeras forest`: a random forest that learns from annotated micrographs."""

import dataclasses
from pathlib import Path

import click

from defectkeras.cli.options import (
    EXISTING,
    NEW_FILE,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    root_option,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.core.plurals import counted


@click.command()
@click.argument("spec", type=EXISTING)
@click.option(
    "--out",
    type=NEW_FILE,
    required=True,
    help="File to write, which ends in .skops.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    help="Seed of the choice of pixels and of the trees.",
)
@root_option
@overwrite_option
@dry_run_option
@json_option
def forest(
    spec: Path,
    out: Path,
    seed: int,
    root: Path | None,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Fit a random forest on SPEC; no network is needed.

    It learns from some pixels of each class in the split "train", as Weka and ilastik
    do. Use it by `defectkeras analyze MICROGRAPHS --method OUT --out results`, and
    score it by `defectkeras evaluate SPEC --method OUT`.
    """
    from defectkeras.workflows.forest import fit_forest, plan_forest

    plan = plan_forest(spec, out, root=root, overwrite=overwrite)
    names = [example.name for example in plan.spec.of_split("train")]
    if dry_run:
        talk(f"Would learn from {counted(len(names), 'micrograph')} and write {out}.")
        if as_json:
            echo_json({"micrographs": names, "out": str(out)})
        return
    with progress_bar("learning") as on_progress:
        facts = fit_forest(plan, seed=seed, on_progress=on_progress)
    talk(f"Learned from {counted(len(names), 'micrograph')}. Wrote {out}.")
    if as_json:
        echo_json({"out": str(out), **dataclasses.asdict(facts)})
