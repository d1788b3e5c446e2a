"""The commands of `defectkeras registry` that change something."""

from pathlib import Path

import click

from defectkeras.cli.decimal import Decimal
from defectkeras.cli.options import (
    complete_models,
    dry_run_option,
    echo_json,
    json_option,
    reference_argument,
    registry_option,
    talk,
    why_option,
)
from defectkeras.core.plurals import counted


@click.command()
@reference_argument
@click.argument("alias")
@why_option
@registry_option
@dry_run_option
@json_option
def alias(
    reference: str,
    alias: str,
    why: str,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Let an alias, such as production, mean a version from now on."""
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    version = models.resolve(reference)
    name, number = version.name, version.version
    if dry_run:
        before = models.aliases(name).get(alias)
    else:
        before = models.set_alias(name, alias, number, why=why).from_version
    talk(f"{'Would: ' * dry_run}{name}@{alias}: {before or 'nothing'} -> {number}")
    if as_json:
        echo_json({"name": name, "alias": alias, "version": number, "before": before})


@click.command()
@reference_argument
@click.argument("tags", nargs=-1)
@click.option("--remove", is_flag=True, help="Take the tags away.")
@registry_option
@dry_run_option
@json_option
def tag(
    reference: str,
    tags: tuple[str, ...],
    remove: bool,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give a version tags, such as keep, or tell those that it has."""
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    version = models.resolve(reference)
    give, take = (set(), set(tags)) if remove else (set(tags), set())
    if tags and not dry_run:
        wanted = {*models.change_tags(version, give, take)}
    else:
        wanted = ({*models.tags(version)} | give) - take
    if as_json:
        echo_json({"reference": version.reference, "tags": sorted(wanted)})
    else:
        click.echo(f"{version.reference} {' '.join(sorted(wanted))}".rstrip())


@click.command()
@click.argument("name", shell_complete=complete_models)
@click.option(
    "--older-than-days",
    type=Decimal(min=0),
    default=30.0,
    help="Least age of what is removed.",
)
@click.option("--yes", is_flag=True, help="Remove them; without it they are told.")
@registry_option
@json_option
def gc(
    name: str, older_than_days: float, yes: bool, registry_root: Path, as_json: bool
) -> None:
    """Tell which versions of NAME nobody needs, or remove them.

    Needed are the newest version, those that an alias means or would mean again after
    a rollback, those with a tag, and the parents of those that stay.
    """
    from defectkeras.registry.collect import find_removable, remove_version
    from defectkeras.registry.store import ModelRegistry

    models = ModelRegistry(registry_root)
    found = find_removable(models, name, older_than_days=older_than_days)
    rows = [
        {
            "reference": r.version.reference,
            "size_bytes": r.size_bytes,
            "age_days": round(r.age_days, 1),
        }
        for r in found
    ]
    if as_json:
        echo_json({"removed": yes, "versions": rows})
    for removable, row in zip(found, rows, strict=True):
        size_mib = removable.size_bytes / 2**20
        talk(f"{row['reference']}  {size_mib:.1f} MiB, {row['age_days']} days")
        if yes:
            remove_version(models, removable.version)
    verb = "Removed" if yes else "Would remove"
    versions = counted(len(found), "version")
    talk(f"{verb} {versions}.{'' if yes else ' Say --yes to do it.'}")


@click.command("export")
@reference_argument
@click.argument("archive", type=click.Path(path_type=Path))
@registry_option
@dry_run_option
@json_option
def export_version(
    reference: str, archive: Path, registry_root: Path, dry_run: bool, as_json: bool
) -> None:
    """Write a version into ARCHIVE, a .tar.gz to be carried elsewhere."""
    from defectkeras.registry.archive import export_archive
    from defectkeras.registry.store import ModelRegistry

    version = ModelRegistry(registry_root).resolve(reference)
    if not dry_run:
        export_archive(version, archive)
    verb = "Would write" if dry_run else "Wrote"
    talk(f"{verb} {version.reference} into {archive}; sha256 {version.sha256}.")
    if as_json:
        echo_json(
            {
                "reference": version.reference,
                "archive": str(archive),
                "sha256": version.sha256,
            }
        )
