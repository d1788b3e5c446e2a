"""`defectkeras train`: from a data spec to a new version in the registry."""

import shlex
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from defectkeras.cli.options import (
    EXISTING,
    FOLDER,
    POSITIVE,
    config_option,
    dry_run_option,
    echo_json,
    json_option,
    plan_option,
    registry_option,
    root_option,
    set_model_option,
    set_option,
    talk,
    tell_notes,
)
from defectkeras.cli.quiet import start_tensorflow

if TYPE_CHECKING:
    from defectkeras.registry.store import ModelVersion
    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.train import TrainingRun
    from defectkeras.workflows.training_request import TrainingRequest

_OF_THE_RUN = (
    "spec",
    "root",
    "name",
    "description",
    "folds",
    "skip_bad",
    "run_folder",
)
"""Parameters that a run has kept in its request."""


@click.command()
@click.argument("spec", type=EXISTING, required=False)
@plan_option
@click.option(
    "--architecture",
    help="Name of the network, defectsegnet by default; docs/models.md has all.",
)
@click.option("--variant", help="Variant of the network, where it has some.")
@set_model_option
@click.option("--name", help="Name in the registry; that of the data spec by default.")
@click.option("--description", help="One sentence for the model card.")
@config_option
@set_option
@click.option("--epochs", type=click.IntRange(1), help="Largest number of epochs.")
@click.option("--steps-per-epoch", type=click.IntRange(1), help="Batches per epoch.")
@click.option("--batch-size", type=click.IntRange(1), help="Patches per batch.")
@click.option("--patch-size", type=click.IntRange(1), help="Side of a patch in px.")
@click.option("--learning-rate", type=POSITIVE, help="Highest learning rate.")
@click.option("--loss", help='Loss, such as "ce" or "0.5*ce + 0.5*dice".')
@click.option(
    "--patience",
    type=click.IntRange(1),
    help="Epochs without improvement after which it ends.",
)
@click.option(
    "--seed", type=click.IntRange(0), help="Seed of everything that is drawn at random."
)
@click.option(
    "--deterministic", is_flag=True, default=None, help="Give the same bits each time."
)
@click.option(
    "--precision", help="Precision: auto, float32, mixed_float16 or mixed_bfloat16."
)
@click.option("--jit", help="auto, on or off: whether XLA compiles the step.")
@click.option("--strategy", help="Devices: auto, one, mirrored or multiworker.")
@click.option(
    "--histograms", is_flag=True, default=None, help="Log histograms of the weights."
)
@click.option("--profile", is_flag=True, default=None, help="Profile a few steps.")
@click.option(
    "--folds",
    type=click.IntRange(2),
    help="Cut train and val into so many parts, train a network without each of them, "
    "and publish all as an ensemble; with --refit, one network that has learned from "
    "all of them and for which these vouch.",
)
@click.option(
    "--refit",
    is_flag=True,
    default=None,
    help="At the end learn anew from both splits, train and val, for as long as was "
    "best.",
)
@click.option(
    "--skip-bad", is_flag=True, help="Leave out files that cannot be used, and say so."
)
@click.option("--run-folder", type=FOLDER, help="New folder for the run's files.")
@click.option("--resume", type=FOLDER, help="Folder of a run that goes on.")
@root_option
@registry_option
@dry_run_option
@json_option
def train(
    spec: Path | None,
    plan: Path | None,
    variant: str | None,
    model_settings: dict[str, Any],
    any_settings: dict[str, Any],
    name: str | None,
    description: str | None,
    config: Path | None,
    folds: int | None,
    skip_bad: bool,
    run_folder: Path | None,
    resume: Path | None,
    root: Path | None,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a network on SPEC and publish it in the registry.

    A setting that is not given comes from --config, else from --plan (see `defectkeras
    plan`), else from the defaults; `defectkeras config show` prints all of them. A run
    that was stopped goes on with `defectkeras train --resume RUN`, which needs nothing
    else.
    """
    _require_one(spec, resume, root)
    start_tensorflow()
    import dataclasses

    from defectkeras.core.names import require_known
    from defectkeras.models.build import MODEL_BUILDERS
    from defectkeras.training.settings import read_layers, resolve_settings
    from defectkeras.workflows.training_request import TrainingRequest

    settings |= {f"model.{key}": value for key, value in model_settings.items()}
    settings |= {"model.variant": variant, **any_settings}
    flags = {key: value for key, value in settings.items() if value is not None}
    layers = read_layers(plan=plan, file=config, flags=flags)
    if spec:
        request = TrainingRequest(
            spec,
            root=root,
            name=name,
            registry_root=registry_root,
            run_folder=run_folder,
            description=description,
            skip_bad=skip_bad,
            folds=folds or 0,
        )
    elif resume:
        request, before = _look_up(resume)
        if _is_given("registry_root"):  # not the shell's, which may be another by now
            request = dataclasses.replace(request, registry_root=registry_root)
        layers = {"run": before, **layers}
    resolved = resolve_settings(layers)
    require_known(resolved.architecture, MODEL_BUILDERS, what="architecture")
    request = dataclasses.replace(
        request,
        architecture=resolved.architecture,
        arguments=resolved.arguments,
        origins={k: v for k, v in resolved.origins.items() if v != "default"},
    )
    if dry_run:
        with tell_notes():
            _tell_plan(request, resolved.config)
        return
    with tell_notes():
        version, runs = _train(request, resolved.config)
    for run in runs:
        talk(str(run))
    if version is None:
        return
    talk(f"Published as {version.reference} in {request.registry_root}.")
    folder = runs[0].run_folder.parent if request.folds else runs[0].run_folder
    look = shlex.join(["defectkeras", "tensorboard", str(folder)])
    talk(f"Look at the run with: {look}")
    if as_json:
        told = [
            {
                "run_folder": str(run.run_folder),
                "best_epoch": run.best_epoch,
                "best_mean_defect_iou": run.best_score,
            }
            for run in runs
        ]
        rest = {"folds": told} if request.folds else told[0]
        echo_json({"model": version.reference, "sha256": version.sha256, **rest})


def _require_one(spec: Path | None, resume: Path | None, root: Path | None) -> None:
    """Tell a fault of the command or of the data spec before TensorFlow starts."""
    from defectkeras.datasets.spec import load_dataset_spec

    if spec is None and resume is None:
        raise click.UsageError("Name a data spec SPEC, or a run by --resume.")
    if resume:
        _refuse_what_the_run_has(resume)
    if spec:
        load_dataset_spec(spec, root=root)


def _refuse_what_the_run_has(run_folder: Path) -> None:
    """Let nobody believe that a run which goes on takes another data spec or name."""
    from defectkeras.training.interruption import resume_command

    context = click.get_current_context()
    given = [
        param.opts[0] if isinstance(param, click.Option) else param.human_readable_name
        for param in context.command.params
        if param.name in _OF_THE_RUN and _is_given(param.name)
    ]
    if given:
        raise click.UsageError(
            f"A run goes on with what it began with: leave out {', '.join(given)}, as "
            f"in `{resume_command(run_folder)}`."
        )


def _is_given(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is ParameterSource.COMMANDLINE


def _look_up(run_folder: Path) -> "tuple[TrainingRequest, dict[str, Any]]":
    """Give what a run was asked for, and its settings with those of its network."""
    from defectkeras.training.run_folder import CONFIG, folder_of_fold, read_run_file
    from defectkeras.workflows.training_request import request_to_resume

    request = request_to_resume(run_folder)
    folder = request.run_folder or run_folder
    folder = folder_of_fold(folder, 0) if request.folds else folder
    config = read_run_file(folder, CONFIG)
    network = {"architecture": request.architecture, "model": request.arguments}
    return request, {**config, **network}


def _train(
    request: "TrainingRequest", config: "TrainingConfig"
) -> "tuple[ModelVersion | None, tuple[TrainingRun, ...]]":
    """Train one model, or one per fold, under a progress bar."""
    from defectkeras.training.progress import show_progress
    from defectkeras.workflows.train import train
    from defectkeras.workflows.train_folds import train_folds

    with _bad_files_told(request), show_progress() as on_progress:
        if request.folds:
            return train_folds(request, config, on_progress=on_progress)
        version, run = train(request, config, on_progress=on_progress)
        return version, (run,)


def _bad_files_told(request: "TrainingRequest") -> AbstractContextManager[None]:
    """Tell of all bad files where one of them stops a training."""
    from defectkeras.datasets.skip import all_bad_files_told

    if request.skip_bad:  # each is told as it is left out
        return nullcontext()
    return all_bad_files_told(request.spec_path, root=request.root)


def _tell_plan(request: "TrainingRequest", config: "TrainingConfig") -> None:
    """Print what would be read, trained and written, as JSON on stdout."""
    import dataclasses

    from defectkeras.workflows.train import plan_training

    with _bad_files_told(request):
        spec, name, model = plan_training(request, config)
    echo_json(
        {
            "architecture": request.architecture,
            "parameters": model.count_params(),
            "publishes": f"{request.registry_root}/{name}",
            "run_folder": str(request.chosen_run_folder(name)),
            "classes": [c.name for c in spec.scheme.classes],
            "examples": {
                split: len(spec.of_split(split)) for split in ("train", "val", "test")
            },
            "config": dataclasses.asdict(config),
        }
    )
