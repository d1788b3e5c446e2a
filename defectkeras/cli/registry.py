"""`defectkeras registry`: which model versions there are."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from defectkeras.cli.main import FriendlyGroup
from defectkeras.cli.options import (
    complete_models,
    dry_run_option,
    echo_json,
    json_option,
    registry_option,
    talk,
)
from defectkeras.cli.quiet import start_tensorflow


@click.group(cls=FriendlyGroup)
def registry() -> None:
    """Look at the versions in the model registry."""


@registry.command("list")
@registry_option
@json_option
def list_models(registry_root: Path, as_json: bool) -> None:
    """List models, versions and aliases."""
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    rows = [_row(models, name, number) for name, number in _all(models)]
    if as_json:
        echo_json(rows)
        return
    if not rows:
        talk(f"There is no model in {registry_root}. Make one with defectkeras train.")
    for row in rows:
        aliases = " ".join(f"@{alias}" for alias in row["aliases"])
        click.echo(
            f"{row['reference']:<24} {row['architecture']:<16} {row['sha256'][:12]}  "
            f"{row['description']} {aliases}".rstrip()
        )


@registry.command()
@click.argument(
    "reference", metavar="NAME[@VERSION|@ALIAS]", shell_complete=complete_models
)
@registry_option
@json_option
def show(reference: str, registry_root: Path, as_json: bool) -> None:
    """Show the model card of a version."""
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    version = models.resolve(reference)
    row = _row(models, version.name, version.version)
    if as_json:
        echo_json({**row, "card": version.card.to_dict()})
        return
    from defectkeras.registry.card_markdown import card_markdown

    talk(f"{row['reference']}  sha256 {row['sha256']}  {version.path}")
    click.echo(card_markdown(version.card))


@registry.command()
@click.argument("reference", metavar="NAME[@VERSION]", shell_complete=complete_models)
@click.argument("alias")
@click.option("--why", default="", help="The reason, kept in the history.")
@registry_option
@dry_run_option
def alias(
    reference: str, alias: str, why: str, registry_root: Path, dry_run: bool
) -> None:
    """Let an alias, such as production, mean a version from now on."""
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    version = models.resolve(reference)
    before = models.aliases(version.name).get(alias, "nothing")
    talk(f"{version.name}@{alias}: {before} -> {version.version}")
    if not dry_run:
        models.set_alias(version.name, alias, version.version, why=why)


@registry.command()
@click.argument(
    "reference", metavar="NAME[@VERSION|@ALIAS]", shell_complete=complete_models
)
@registry_option
def verify(reference: str, registry_root: Path) -> None:
    """Check the files of a version and what it predicts."""
    start_tensorflow()
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    version = models.resolve(reference)
    models.verify(version)
    talk(f"{version.reference}: all files and predictions are as published.")


def _all(models: Any) -> list[tuple[str, int]]:
    return [
        (name, number) for name in models.names() for number in models.versions(name)
    ]


def _row(models: Any, name: str, number: int) -> dict[str, Any]:
    version = models.resolve(f"{name}@{number}")
    card = version.card
    return {
        "reference": version.reference,
        "name": name,
        "version": number,
        "aliases": [a for a, n in models.aliases(name).items() if n == number],
        "architecture": card.architecture,
        "classes": [dataclasses.asdict(c) for c in card.scheme.classes],
        "description": card.description,
        "dataset": card.dataset_name,
        "created": card.created,
        "sha256": version.sha256,
    }
