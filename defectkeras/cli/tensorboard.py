"""`defectkeras tensorboard`: look at training runs in the browser."""

import shlex
import sys
from pathlib import Path

import click

from defectkeras.cli.options import dry_run_option, talk
from defectkeras.cli.quiet import start_tensorflow


@click.command()
@click.argument(
    "runs",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port; 6006 or the next free one."
)
@dry_run_option
def tensorboard(runs: tuple[Path, ...], port: int | None, dry_run: bool) -> None:
    """Show training runs in a browser on this computer.

    RUN is the folder of a run, or one that holds several. TensorBoard is started so
    that it shows every picture and every point. It listens on 127.0.0.1 alone, until
    Ctrl-C.
    """
    from defectkeras.workflows.tensorboard import tensorboard_command

    command = tensorboard_command(runs, port=port)
    if dry_run:
        click.echo(shlex.join(command))
        return
    talk(f"Starting: {shlex.join(command)}")
    start_tensorflow()  # in this process, so that its notes are held back
    from tensorboard.main import run_main

    sys.argv = command[command.index("tensorboard.main") :]
    run_main()
