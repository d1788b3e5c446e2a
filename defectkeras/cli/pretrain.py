"""`defectkeras pretrain`: an encoder that has seen micrographs, without annotations."""

import sys
from pathlib import Path
from typing import Any

import click

from defectkeras.cli.main import INTERRUPTED
from defectkeras.cli.options import (
    EXISTING,
    NEW_FILE,
    POSITIVE,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quiet import start_tensorflow
from defectkeras.core.plurals import counted


@click.command()
@click.argument("paths", type=EXISTING, nargs=-1, required=True)
@click.option(
    "--out",
    type=NEW_FILE,
    required=True,
    help="File to write, which ends in .keras.",
)
@click.option(
    "--encoder",
    default="efficientnet_lite0",
    help="Name of the encoder; docs/models.md has all.",
)
@click.option("--encoder-weights", help='Where it begins: "imagenet" or a .keras file.')
@click.option("--encoder-alpha", type=POSITIVE, help="Width of a MobileNet.")
@click.option(
    "--epochs",
    type=click.IntRange(1),
    help="Number of epochs; OUT is written after each.",
)
@click.option("--steps-per-epoch", type=click.IntRange(1), help="Batches per epoch.")
@click.option("--batch-size", type=click.IntRange(1), help="Patches per batch.")
@click.option("--patch-size", type=click.IntRange(1), help="Side of a patch in px.")
@click.option("--learning-rate", type=POSITIVE, help="Highest learning rate.")
@click.option(
    "--seed", type=click.IntRange(0), help="Seed of everything that is drawn at random."
)
@overwrite_option
@dry_run_option
@json_option
def pretrain(
    paths: tuple[Path, ...],
    out: Path,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Pretrain an encoder on micrographs without annotations.

    PATHS are files and folders. Half of each patch is hidden, and the network learns to
    fill it in. Train with the result by `defectkeras train SPEC --architecture
    encoder_unet --set-model encoder_weights=OUT`. Ctrl-C keeps what the last epoch
    wrote.
    """
    start_tensorflow()
    import dataclasses

    from defectkeras.core.names import require_known
    from defectkeras.models.encoders import ENCODERS
    from defectkeras.training.pretrain import PretrainingConfig
    from defectkeras.workflows import pretrain as workflow

    given = {key: value for key, value in settings.items() if value is not None}
    config = PretrainingConfig(**given)
    require_known(config.encoder, ENCODERS, what="encoder")
    if dry_run:
        files = workflow.plan_pretraining(paths, out, overwrite=overwrite)
        plan = {"micrographs": [str(f) for f in files], "out": str(out)}
        echo_json({**plan, "config": dataclasses.asdict(config)})
        return
    with progress_bar("pretraining") as on_progress:
        done = workflow.pretrain(
            paths, config, out, overwrite=overwrite, on_progress=on_progress
        )
    end = "Interrupted" if done.was_interrupted else "Done"
    epochs = counted(len(done.losses), "epoch")
    talk(
        f"{end} after {epochs}: error of the hidden grey levels "
        f"{done.losses[0]:.4f} in the first, {done.losses[-1]:.4f} in the last."
    )
    talk(f"Wrote {out}.")
    if as_json:
        echo_json({"out": str(out), "losses": list(done.losses)})
    if done.was_interrupted:
        sys.exit(INTERRUPTED)
