"""`defectkeras registry`: which model versions there are, and others to import."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from defectkeras.cli.convert import convert
from defectkeras.cli.main import FriendlyGroup
from defectkeras.cli.options import (
    complete_models,
    echo_json,
    json_option,
    reference_argument,
    registry_option,
    talk,
)
from defectkeras.cli.quiet import start_tensorflow
from defectkeras.cli.registry_change import alias, export_version, gc, tag
from defectkeras.cli.registry_import import import_version
from defectkeras.cli.registry_promote import promote, rollback

_COLUMNS = ("reference", "architecture")


@click.group(cls=FriendlyGroup)
def registry() -> None:
    """Look at, compare, promote and check the trained models."""


@registry.command("list")
@registry_option
@json_option
def list_models(registry_root: Path, as_json: bool) -> None:
    """List models, versions and aliases."""
    from defectkeras.registry.names import WHERE_MODELS_ARE
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    rows = [_row_or_damage(models, name, number) for name, number in _all(models)]
    if as_json:
        echo_json(rows)
        return
    if not rows:
        talk(f"There is no model in {registry_root}. {WHERE_MODELS_ARE}")
    sound = [row for row in rows if row["damage"] is None]
    widths = {k: max((len(r[k]) for r in sound), default=0) for k in _COLUMNS}
    for row in rows:
        if row["damage"] is not None:
            click.echo(f"{row['reference']} cannot be shown: {row['damage']}")
            continue
        columns = " ".join(f"{row[k]:<{width}}" for k, width in widths.items())
        aliases = " ".join(f"@{alias}" for alias in row["aliases"])
        click.echo(
            f"{columns} {row['sha256'][:12]}  {row['description']} {aliases}".rstrip()
        )


@registry.command()
@reference_argument
@registry_option
@json_option
def show(reference: str, registry_root: Path, as_json: bool) -> None:
    """Show the model card of a version.

    And what was added to it since: how far its conversions are off, and how the gate
    decided on it.
    """
    from defectkeras.registry.engines.conversions import conversions_of
    from defectkeras.registry.gate import decisions_on
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    version = models.resolve(reference)
    row = _row(models, version.name, version.version)
    conversions, decisions = conversions_of(version), decisions_on(version)
    if as_json:
        added = {"conversions": conversions, "gates": decisions}
        echo_json({**row, "card": version.card.to_dict(), **added})
        return
    from defectkeras.registry.card_markdown import card_markdown

    talk(f"{row['reference']}  sha256 {row['sha256']}  {version.path}")
    click.echo(card_markdown(version.card, conversions, decisions))


@registry.command()
@click.argument("first", metavar="A", shell_complete=complete_models)
@click.argument("second", metavar="B", shell_complete=complete_models)
@registry_option
@json_option
def diff(first: str, second: str, registry_root: Path, as_json: bool) -> None:
    """Tell what differs between the cards of versions A and B.

    Config and metrics are among it; each line is an entry with both values.
    """
    from defectkeras.registry.compare import diff_versions
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    found = diff_versions(models.resolve(first), models.resolve(second))
    if as_json:
        echo_json([dataclasses.asdict(entry) for entry in found])
        return
    from defectkeras.registry.card_markdown import value_text

    for entry in found:
        before, after = value_text(entry.first), value_text(entry.second)
        click.echo(f"{entry.key}: {before} -> {after}")
    if not found:
        talk("The cards are the same.")


@registry.command()
@reference_argument
@registry_option
@json_option
def lineage(reference: str, registry_root: Path, as_json: bool) -> None:
    """Tell from which versions and data a version comes."""
    from defectkeras.registry.compare import trace_lineage
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    chain = trace_lineage(models, models.resolve(reference))
    rows = [
        {"reference": a.reference, **(_origin(a.version) if a.version else {})}
        for a in chain
    ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        told = ", ".join(str(value) for value in list(row.values())[1:])
        click.echo(f"{row['reference']:<24} {told or 'not in this registry'}")


@registry.command()
@click.argument("name", shell_complete=complete_models)
@registry_option
@json_option
def history(name: str, registry_root: Path, as_json: bool) -> None:
    """Tell every move of the aliases of NAME, by whom and why."""
    from defectkeras.registry.store import ModelRegistry

    moves = ModelRegistry(registry_root).alias_history(name)
    if as_json:
        echo_json([dataclasses.asdict(move) for move in moves])
        return
    if not moves:
        talk(f"No alias of {name} was moved yet.")
    for move in moves:
        kind = "rollback " if move.is_rollback else ""
        gate = f" gate {move.gate}" if move.gate else ""
        before = move.from_version or "nothing"
        click.echo(
            f"{move.when}  {move.who:<12} {move.alias}: {before} -> "
            f"{move.to_version}  {kind}{move.why}{gate}".rstrip()
        )


@registry.command()
@click.argument(
    "references",
    nargs=-1,
    metavar="[NAME[@VERSION|@ALIAS]]...",
    shell_complete=complete_models,
)
@registry_option
@json_option
def verify(references: tuple[str, ...], registry_root: Path, as_json: bool) -> None:
    """Check the files of versions and what they predict.

    All versions are checked without a name, and the aliases of their models. Tells also
    how far the exported model and Keras are off from the same network in float64, in
    probability, on the image in the version.
    """
    start_tensorflow()
    from defectkeras.core.errors import RegistryError
    from defectkeras.registry.names import WHERE_MODELS_ARE
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    wanted = references or tuple(f"{name}@{number}" for name, number in _all(models))
    if not wanted:
        raise RegistryError(
            f"The registry {registry_root} must have a model. {WHERE_MODELS_ARE}"
        )
    rows = []
    for reference in wanted:
        row = _verified(models, reference)
        rows.append(row)
        talk(row["damage"] or f"{row['reference']}: {_soundness(row['export'])}.")
    for name in sorted({row["reference"].partition("@")[0] for row in rows}):
        damage = _alias_damage(models, name)
        if damage is not None:
            rows.append({"reference": name, "damage": damage, "export": {}})
            talk(damage)
    if as_json:
        echo_json(rows)
    damaged = [row["reference"] for row in rows if row["damage"] is not None]
    if damaged:
        raise click.ClickException(f"Damaged: {', '.join(damaged)}.")


for _command in (
    alias,
    convert,
    export_version,
    gc,
    import_version,
    promote,
    rollback,
    tag,
):
    registry.add_command(_command)


def _verified(models: Any, reference: str) -> dict[str, Any]:
    """Check a version, and name it by its number."""
    from defectkeras.core.errors import RegistryError
    from defectkeras.registry.verify import verify_version

    try:
        version = models.resolve(reference)
        reference = version.reference
        off = verify_version(version)
    except RegistryError as error:
        return {"reference": reference, "damage": str(error), "export": {}}
    return {"reference": reference, "damage": None, "export": off}


def _alias_damage(models: Any, name: str) -> str | None:
    """Tell what is wrong with the aliases of a model that is there, or None."""
    from defectkeras.core.errors import RegistryError
    from defectkeras.registry.verify import verify_aliases

    try:
        if name in models.names():
            verify_aliases(models, name)
    except RegistryError as error:
        return str(error)
    return None


def _soundness(off: dict[str, dict[str, float]]) -> str:
    by = ", ".join(f"{k} {way['largest_difference']:.1e}" for k, way in off.items())
    return f"all files and predictions are as published; off from float64: {by}"


def _origin(version: Any) -> dict[str, Any]:
    card = version.card
    return {
        "created": card.created,
        "dataset": card.dataset_name,
        "fingerprint": card.dataset_fingerprint,
        "sha256": version.sha256,
    }


def _all(models: Any) -> list[tuple[str, int]]:
    return [
        (name, number) for name in models.names() for number in models.versions(name)
    ]


def _row_or_damage(models: Any, name: str, number: int) -> dict[str, Any]:
    from defectkeras.core.errors import RegistryError

    try:
        return {**_row(models, name, number), "damage": None}
    except RegistryError as error:
        reference = f"{name}@{number}"
        told = {"reference": reference, "name": name, "version": number}
        return {**told, "damage": str(error)}


def _row(models: Any, name: str, number: int) -> dict[str, Any]:
    version = models.resolve(f"{name}@{number}")
    card = version.card
    return {
        "reference": version.reference,
        "name": name,
        "version": number,
        "aliases": [a for a, n in models.aliases(name).items() if n == number],
        "tags": list(models.tags(version)),
        "architecture": card.architecture,
        "classes": [dataclasses.asdict(c) for c in card.scheme.classes],
        "description": card.description,
        "dataset": card.dataset_name,
        "created": card.created,
        "sha256": version.sha256,
    }
