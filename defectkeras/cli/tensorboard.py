"""`defectkeras tensorboard`: look at training runs in the browser."""

import os
import shlex
from pathlib import Path

import click

from defectkeras.cli.options import dry_run_option, talk


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
    """Serve the logs of training runs to a browser on this computer, until Ctrl-C.

    RUN is the folder of a run, or one that holds several. TensorBoard is started so
    that it shows every picture and every point. It listens on 127.0.0.1 alone.
    """
    from defectkeras.workflows.tensorboard import tensorboard_command

    command = tensorboard_command(runs, port=port)
    if dry_run:
        click.echo(shlex.join(command))
        return
    talk(f"Starting: {shlex.join(command)}")
    # In place of this process, so that Ctrl-C and signals reach it
    os.execve(command[0], command, {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ})
