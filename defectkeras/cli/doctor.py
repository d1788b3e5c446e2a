"""`defectkeras doctor`: what this computer has."""

from pathlib import Path
from typing import Any

import click

from defectkeras.cli.options import echo_json, json_option, registry_option, talk
from defectkeras.cli.quiet import start_tensorflow


@click.command()
@registry_option
@json_option
def doctor(registry_root: Path, as_json: bool) -> None:
    """Tell versions, devices, memory and which files can be read."""
    start_tensorflow()
    from defectkeras.workflows.doctor import examine

    facts = examine(registry_root)
    if as_json:
        echo_json(facts)
        return
    for line in _lines(facts):
        click.echo(line)
    if None in facts["readers"].values():
        talk("For the other files: pip install 'defectkeras[formats,montages]'.")


def _lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Give a table of tables as indented lines."""
    lines = []
    for key, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}", *_lines(value, indent + "  ")]
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        lines.append(f"{indent}{key:<24} {'-' if shown in (None, '') else shown}")
    return lines
