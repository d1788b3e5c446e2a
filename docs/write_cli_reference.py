"""Write docs/cli.md from the help texts: python docs/write_cli_reference.py."""

from collections.abc import Iterator
from pathlib import Path

import click

from defectkeras.cli.main import main

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Command line

Written by `make docs` from the help texts. Data goes to stdout, talk to stderr.
Exit status: 0 all is well, 1 something failed (told in one line), 2 wrong usage.
"""


def cli_reference() -> str:
    """Give the page as text."""
    context = click.Context(
        main, info_name="defectkeras", terminal_width=80, **main.context_settings
    )
    sections = [
        f"## {name}\n\n```\n{text}\n```" for name, text in _helps(main, context)
    ]
    return "\n".join([HEAD, *("\n".join([s, ""]) for s in sections)])


def _helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Give name and help of a command and of all below it."""
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                below = click.Context(
                    child, parent=context, info_name=name, **main.context_settings
                )
                yield from _helps(child, below)


if __name__ == "__main__":
    PAGE.write_text(cli_reference(), encoding="utf-8")
