"""`defectkeras evaluate`: a model version against annotations."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from defectkeras.cli.methods import choose_method, method_options
from defectkeras.cli.options import (
    EXISTING,
    FOLDER,
    dry_run_option,
    echo_json,
    json_option,
    registry_option,
    root_option,
    runtime_options,
    split_option,
    talk,
    tolerance_option,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quiet import start_tensorflow
from defectkeras.cli.score_tables import show_scores
from defectkeras.core.plurals import counted

if TYPE_CHECKING:
    from defectkeras.workflows.evaluate import EvaluationPlan
    from defectkeras.workflows.evaluation.scores import Evaluation


@click.command()
@click.argument("spec", type=EXISTING)
@method_options
@split_option
@click.option(
    "--augment/--no-augment",
    default=None,
    help="Average over the views that the model has learned from. "
    "[default: as the card of the model says]",
)
@tolerance_option
@click.option("--out", type=FOLDER, help="Folder for JSON, tables and figures.")
@runtime_options
@root_option
@registry_option
@dry_run_option
@json_option
def evaluate(
    spec: Path,
    model: str | None,
    method: str | None,
    polarity: str,
    split: str,
    augment: bool | None,
    tolerance_px: float,
    out: Path | None,
    runtime: str,
    url: str | None,
    root: Path | None,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Compare a model or a method with the annotations of SPEC.

    SPEC may be a folder as `defectkeras finetune` takes it, too, with micrographs/ and
    annotations/ of the model's classes; then all of it counts, whatever the split.

    The method random_forest is fitted on the split "train" first. Scores are told per
    micrograph and pooled: pixels, boundaries, objects, calibration, quantities and
    size distributions. docs/metrics.md has every definition.
    """
    of_models = {"--runtime": runtime != "tensorflow", "--url": url is not None}
    choice = choose_method(model, method, polarity, of_models=of_models)
    from defectkeras.workflows.evaluate import evaluate, plan_evaluation
    from defectkeras.workflows.evaluate_method import evaluate_method
    from defectkeras.workflows.method import RANDOM_FOREST, load_method
    from defectkeras.workflows.segment import SegmentSettings

    if choice is not None and choice.name != RANDOM_FOREST:
        load_method(choice)
    plan = plan_evaluation(
        model, spec, split=split, root=root, registry_root=registry_root
    )  # tells what is wrong with the names before TensorFlow starts
    if dry_run:
        _tell_plan(plan, model or method, out, as_json)
        return
    if choice is None:
        start_tensorflow()
    settings = SegmentSettings(augment=augment, runtime=runtime, url=url)
    with progress_bar("evaluating") as on_progress:
        if choice is not None:
            evaluation = evaluate_method(
                choice,
                spec,
                split=split,
                root=root,
                settings=settings,
                tolerance_px=tolerance_px,
                on_progress=on_progress,
            )
        else:
            evaluation = evaluate(
                str(model),
                spec,
                split=split,
                root=root,
                registry_root=registry_root,
                settings=settings,
                tolerance_px=tolerance_px,
                on_progress=on_progress,
            )
    _show(evaluation, out, as_json)


def _show(evaluation: "Evaluation", out: Path | None, as_json: bool) -> None:
    """Write the files, print the scores, and say whether they are too good."""
    from defectkeras.workflows.evaluation.files import write_evaluation

    if learned := len(evaluation.learned_from):
        count = counted(len(evaluation.examples), "micrograph")
        talk(
            f"{evaluation.model} has learned from {learned} of "
            f"{count}: the scores are too good. "
            "Judge it on others."
        )
    scores = evaluation.to_dict()
    if out is not None:
        files = write_evaluation(evaluation, out)
        talk(f"Wrote {', '.join(file.name for file in files)} into {out}.")
    if as_json:
        echo_json(scores)
    else:
        show_scores(scores)


def _tell_plan(
    plan: "EvaluationPlan", name: str | None, out: Path | None, as_json: bool
) -> None:
    """Say what would be read and written."""
    names = [example.name for example in plan.examples]
    count = counted(len(names), "micrograph")
    model = plan.version.reference if plan.version else name
    talk(f"Would evaluate {model} on {plan.spec.name}, {count}.")
    if as_json:
        folder = None if out is None else str(out)
        echo_json({"model": model, "micrographs": names, "out": folder})
        return
    for text in (*names, *([] if out is None else [f"-> {out}"])):
        click.echo(text)
