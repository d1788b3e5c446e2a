"""A model of the registry or a method without a network, as options of a command."""

from typing import TYPE_CHECKING, Any

import click

from defectkeras.cli.options import Command, add_options, complete_models

if TYPE_CHECKING:
    from defectkeras.workflows.method import MethodChoice


def method_options(command: Command) -> Command:
    """Add --model, --method and --polarity to a command."""
    options = (
        click.option(
            "--model",
            metavar="NAME[@VERSION|@ALIAS]",
            shell_complete=complete_models,
            help="Model of the registry; the newest version when none is named.",
        ),
        click.option(
            "--method",
            metavar="NAME|FILE",
            help="In place of a model: otsu, local_threshold, ridges, blobs, "
            "watershed, or a file of `defectkeras forest`.",
        ),
        click.option(
            "--polarity",
            type=click.Choice(["dark", "bright"]),
            default="dark",
            help="Whether a method looks for what is darker or brighter than the "
            "matrix; a forest has learned it.",
        ),
    )
    return add_options(command, options)


def choose_method(
    model: str | None, method: str | None, polarity: Any, *, of_models: dict[str, bool]
) -> "MethodChoice | None":
    """Give the method that was asked for, or None for a model.

    Args:
        model: What --model says.
        method: What --method says.
        polarity: What --polarity says.
        of_models: Options that only models have, and whether each was given.

    Raises:
        click.UsageError: When there are both or neither, or an option does not fit.
    """
    if (model is None) == (method is None):
        raise click.UsageError("Name a model by --model, or a method by --method.")
    if method is None:
        return None
    for option, given in of_models.items():
        if given:
            raise click.UsageError(f"{option} is for models, not for --method.")
    from defectkeras.workflows.method import MethodChoice

    return MethodChoice(method, polarity)
