"""`defectkeras finetune`: a version of the registry, trained further on own fields."""

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defectkeras.cli.options import (
    EXISTING,
    FOLDER,
    POSITIVE,
    complete_models,
    config_option,
    dry_run_option,
    echo_json,
    json_option,
    registry_option,
    root_option,
    set_option,
    talk,
    tell_notes,
)
from defectkeras.cli.quiet import start_tensorflow

if TYPE_CHECKING:
    from defectkeras.workflows.finetune import FinetunePlan


@click.command()
@click.argument(
    "model", metavar="NAME[@VERSION|@ALIAS]", shell_complete=complete_models
)
@click.argument("data", type=EXISTING)
@click.option("--name", help="Name in the registry; that of the data by default.")
@click.option("--description", help="One sentence for the model card.")
@config_option
@set_option
@click.option("--epochs", type=click.IntRange(1), help="Largest number of epochs.")
@click.option("--learning-rate", type=POSITIVE, help="Highest learning rate.")
@click.option("--run-folder", type=FOLDER, help="New folder for the run's files.")
@root_option
@registry_option
@dry_run_option
@json_option
def finetune(
    model: str,
    data: Path,
    name: str | None,
    description: str | None,
    config: Path | None,
    any_settings: dict[str, Any],
    run_folder: Path | None,
    root: Path | None,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a model further on a handful of own annotated fields.

    DATA is a data spec, or a folder with micrographs/ and annotations/ in which files
    of the same name belong together. Without a validation split a quarter of each
    field serves as one. A run that was stopped goes on with `defectkeras train --resume
    RUN`.
    """
    from defectkeras.registry.store import ModelRegistry

    ModelRegistry(registry_root).resolve(model)  # a wrong name is told at once
    start_tensorflow()
    from defectkeras.training.progress import show_progress
    from defectkeras.training.settings import read_layers
    from defectkeras.workflows.finetune import (
        FinetuneRequest,
        finetune,
        plan_finetuning,
    )

    settings |= any_settings
    flags = {key: value for key, value in settings.items() if value is not None}
    request = FinetuneRequest(
        model,
        data,
        root=root,
        name=name,
        registry_root=registry_root,
        run_folder=run_folder,
        description=description,
        settings=read_layers(file=config, flags=flags),
    )
    if dry_run:
        with tell_notes():
            plan = plan_finetuning(request)
        _tell_plan(plan, registry_root)
        return
    with tell_notes(), show_progress() as on_progress:
        version, run = finetune(request, on_progress=on_progress)
    talk(str(run))
    if version is None:
        return
    talk(f"Published as {version.reference} in {registry_root}.")
    look = shlex.join(["defectkeras", "tensorboard", str(run.run_folder)])
    talk(f"Look at the run with: {look}")
    if as_json:
        echo_json(
            {
                "model": version.reference,
                "parent": version.card.parent,
                "sha256": version.sha256,
                "run_folder": str(run.run_folder),
                "best_epoch": run.best_epoch,
                "best_mean_defect_iou": run.best_score,
            }
        )


def _tell_plan(plan: "FinetunePlan", registry_root: Path) -> None:
    """Print what would be read, trained and written, as JSON on stdout."""
    echo_json(
        {
            "model": plan.version.reference,
            "publishes": f"{registry_root}/{plan.name}",
            "classes": [c.name for c in plan.spec.scheme.classes],
            "same_classes": plan.same_classes,
            "fields": [e.name for e in plan.spec.of_split("train")],
            "validation": plan.validation,
            "config": dataclasses.asdict(plan.settings.config),
        }
    )
