"""The command `defectkeras`: its groups, and errors as one line."""

import importlib
from typing import Any, ClassVar

import click

from defectkeras.core.errors import DefectKerasError, StoppedError
from defectkeras.core.files import FULL
from defectkeras.core.names import suggestion
from defectkeras.training.interruption import Terminated

INTERRUPTED = 130
"""Exit status of whatever Ctrl-C ended, as shells have it: 128 and SIGINT's 2."""

TERMINATED = 143
"""Likewise of SIGTERM."""


class _Stopped(click.ClickException):
    exit_code = INTERRUPTED


class _Terminated(click.ClickException):
    exit_code = TERMINATED


def _shown(error: DefectKerasError) -> click.ClickException:
    """Give what Click shows as one line, with the exit status."""
    if not isinstance(error, StoppedError):
        return click.ClickException(str(error))
    kind = _Terminated if isinstance(error.__cause__, Terminated) else _Stopped
    return kind(str(error))


class FriendlyGroup(click.Group):
    """A group that shows a user's error as one line and guesses mistyped names."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or tell the nearest known one."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            ctx.fail(f"No such command {name!r}.{suggestion(name, known)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error that a user can mend, or Ctrl-C, is one line.

        So is a folder that may not be written, or a full disk.
        """
        try:
            return super().invoke(ctx)
        except DefectKerasError as error:
            raise _shown(error) from error
        except BrokenPipeError:
            raise  # the reader has seen enough, such as `head`; Click ends quietly
        except OSError as error:
            raise click.ClickException(_refusal(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)


def _refusal(error: OSError) -> str:
    what = "A file" if error.filename is None else str(error.filename)
    reason = " ".join((error.strerror or str(error)).split())
    if error.errno in FULL:
        return (
            f"{what} cannot be written: {reason}. What was written before is whole. "
            "Free some space, then run the same command again."
        )
    return f"{what} cannot be read or written: {reason}."


class LazyGroup(FriendlyGroup):
    """A group whose commands live in modules of their own, imported when named."""

    homes: ClassVar[dict[str, str]] = {
        "analyze": "defectkeras.cli.analyze:analyze",
        "annotations": "defectkeras.cli.annotations:annotations",
        "benchmark": "defectkeras.cli.benchmark:benchmark",
        "compare": "defectkeras.cli.compare:compare",
        "completion": "defectkeras.cli.completion:completion",
        "config": "defectkeras.cli.plan:config",
        "data": "defectkeras.cli.data:data",
        "deploy": "defectkeras.cli.deploy:deploy",
        "doctor": "defectkeras.cli.doctor:doctor",
        "evaluate": "defectkeras.cli.evaluate:evaluate",
        "finetune": "defectkeras.cli.finetune:finetune",
        "forest": "defectkeras.cli.forest:forest",
        "plan": "defectkeras.cli.plan:plan",
        "pretrain": "defectkeras.cli.pretrain:pretrain",
        "quantify": "defectkeras.cli.quantify:quantify",
        "registry": "defectkeras.cli.registry:registry",
        "serve": "defectkeras.cli.serve:serve",
        "tensorboard": "defectkeras.cli.tensorboard:tensorboard",
        "train": "defectkeras.cli.train:train",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names of the commands."""
        return sorted(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of this name."""
        if cmd_name not in self.homes:
            return None
        module, _, name = self.homes[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "show_default": True,
        "max_content_width": 100,
    },
)
@click.version_option(package_name="defectkeras")
def main() -> None:
    """Find and measure crystallographic defects in electron micrographs.

    Trained networks, the models of the registry, find them: `defectkeras registry list`
    tells which there are, and `defectkeras analyze field.tif --model NAME --out
    results` uses one. SPEC stands for a data spec: a TOML file that tells which
    micrographs and annotations belong together, and their classes (docs/data_specs.md).
    """
