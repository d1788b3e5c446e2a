"""`defectkeras benchmark`: the speed of what does the same, or works together."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from defectkeras.cli.benchmark_candidates import benchmark_candidates
from defectkeras.cli.convert import benchmark_runtimes
from defectkeras.cli.main import FriendlyGroup
from defectkeras.cli.options import (
    EXISTING,
    config_option,
    echo_json,
    json_option,
    plan_option,
    root_option,
    set_option,
    tell_notes,
)
from defectkeras.cli.quiet import start_tensorflow


class SpecGroup(FriendlyGroup):
    """A group that takes a first word that can be no command for a data spec."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put "candidates" before such a word, as in `defectkeras benchmark a.toml`."""
        if args and not args[0].isidentifier() and args[0] not in ctx.help_option_names:
            args = ["candidates", *args]
        return super().parse_args(ctx, args)


@click.group(cls=SpecGroup)
def benchmark() -> None:
    """Compare networks, losses and engines side by side.

    `defectkeras benchmark SPEC ...` is short for `defectkeras benchmark candidates
    SPEC ...`.
    """


benchmark.add_command(benchmark_candidates)
benchmark.add_command(benchmark_runtimes)


@benchmark.command("input")
@click.argument("spec", type=EXISTING)
@plan_option
@config_option
@set_option
@click.option(
    "--steps", default=10, type=click.IntRange(1), help="Training steps to measure."
)
@root_option
@json_option
def benchmark_input(
    spec: Path,
    plan: Path | None,
    config: Path | None,
    any_settings: dict[str, Any],
    steps: int,
    root: Path | None,
    as_json: bool,
) -> None:
    """Compare the speeds of reading SPEC and of training on it.

    Measured are the input pipeline and the training step, alone and together. The
    settings are those of a training: `--set architecture=unet --set batch_size=4`.
    """
    start_tensorflow()
    from defectkeras.training.input_speed import WANTED_RATIO, WANTED_WAIT
    from defectkeras.training.settings import read_layers, resolve_settings
    from defectkeras.workflows.benchmark.input_speed import benchmark_input

    layers = read_layers(plan=plan, file=config, flags=any_settings)
    settings = resolve_settings(layers)
    with tell_notes():
        speed = benchmark_input(spec, settings, root=root, steps=steps)
    if as_json:
        echo_json({**dataclasses.asdict(speed), "ratio": speed.ratio})
        return
    step, pipeline = speed.step_patches_per_second, speed.pipeline_patches_per_second
    click.echo(f"training step alone    {step:8.1f} patches per second")
    click.echo(
        f"input pipeline alone   {pipeline:8.1f} patches per second, "
        f"{speed.ratio:.1f} times as fast (wanted: {WANTED_RATIO:g})"
    )
    click.echo(
        f"together               {speed.training_patches_per_second:8.1f} patches per "
        f"second; the step waits {100 * speed.waiting_fraction:.2f} % of the time "
        f"(wanted: below {100 * WANTED_WAIT:g} %)"
    )
