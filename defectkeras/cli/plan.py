"""`defectkeras plan` and `defectkeras config show`: what a training is told."""

from pathlib import Path
from typing import Any

import click

from defectkeras.cli.main import FriendlyGroup
from defectkeras.cli.options import (
    EXISTING,
    NEW_FILE,
    POSITIVE,
    config_option,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    plan_option,
    root_option,
    set_option,
    talk,
)
from defectkeras.cli.quiet import start_tensorflow


@click.command()
@click.argument("spec", type=EXISTING)
@click.option(
    "--out",
    type=NEW_FILE,
    help="TOML file to write; without it the plan is printed.",
)
@click.option(
    "--memory-gib", type=POSITIVE, help="Memory of the device; needed for a GPU."
)
@root_option
@overwrite_option
@dry_run_option
@json_option
def plan(
    spec: Path,
    out: Path | None,
    memory_gib: float | None,
    root: Path | None,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Choose settings of a training that fit SPEC, with reasons.

    It looks at the split "train". The plan is a TOML file to be read and edited:
    `defectkeras train SPEC --plan OUT`.
    """
    import dataclasses

    from defectkeras.core.files import require_free, write_whole

    if out is not None:
        require_free(out, overwrite=overwrite)
    start_tensorflow()
    from defectkeras.training.plan import write_toml
    from defectkeras.workflows.plan import plan_for_spec

    choices = plan_for_spec(spec, root=root, memory_gib=memory_gib)
    text = write_toml(choices, f"A plan for {spec.name}. Edit what you know better.")
    if as_json:
        echo_json([dataclasses.asdict(choice) for choice in choices])
    elif out is None or dry_run:
        click.echo(text, nl=False)
    if out is not None and not dry_run:
        write_whole(out, text)
    if out is not None:
        talk(f"{'Would write' if dry_run else 'Wrote'} {out}.")


@click.group(cls=FriendlyGroup)
def config() -> None:
    """Look at the settings of a training."""


@config.command()
@click.argument("spec", type=EXISTING)
@plan_option
@config_option
@set_option
@root_option
@json_option
def show(
    spec: Path,
    plan: Path | None,
    config: Path | None,
    any_settings: dict[str, Any],
    root: Path | None,
    as_json: bool,
) -> None:
    """Show every setting of a training on SPEC, and where it comes from."""
    start_tensorflow()
    from defectkeras.training.settings import read_layers
    from defectkeras.workflows.plan import settings_for_spec

    layers = read_layers(plan=plan, file=config, flags=any_settings)
    settings = settings_for_spec(spec, root=root, layers=layers)
    values = settings.values()
    if as_json:
        echo_json(
            {
                key: {"value": value, "origin": settings.origins[key]}
                for key, value in values.items()
            }
        )
        return
    for key, value in values.items():
        click.echo(f"{key:<36} {value!s:<32} {settings.origins[key]}")
