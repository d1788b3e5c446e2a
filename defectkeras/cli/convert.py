"""`defectkeras registry convert` and `defectkeras benchmark runtimes`."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from defectkeras.cli.options import (
    EXISTING,
    RUNTIMES,
    dry_run_option,
    echo_json,
    json_option,
    overwrite_option,
    reference_argument,
    registry_option,
    root_option,
    talk,
)
from defectkeras.cli.progress import progress_bar
from defectkeras.cli.quiet import start_tensorflow

if TYPE_CHECKING:
    from defectkeras.workflows.convert import Parity

split_option = click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    default="val",
    help="Part of the data to compare on.",
)


@click.command()
@reference_argument
@click.option(
    "--to",
    "form",
    type=click.Choice(["onnx", "openvino", "litert", "litert_int8"]),
    required=True,
    help="Form to convert to.",
)
@click.option(
    "--spec",
    type=EXISTING,
    help="Data to compare on, and for litert_int8 to calibrate with (its train split).",
)
@split_option
@root_option
@overwrite_option
@registry_option
@dry_run_option
@json_option
def convert(
    reference: str,
    form: str,
    spec: Path | None,
    split: str,
    root: Path | None,
    overwrite: bool,
    registry_root: Path,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Convert a version for another engine, and compare them.

    The result lies beside the versions; `analyze --runtime` uses it. The micrographs
    of a split of --spec, or the one that lies in the version, are segmented by Keras
    in float64, by Keras, by TensorFlow and by the engine; probabilities, classes,
    densities and mean sizes are compared with those in float64.
    """
    from defectkeras.registry.engines.conversions import conversion_folder
    from defectkeras.registry.store import ModelRegistry

    version = ModelRegistry(registry_root).resolve(reference)
    if dry_run:
        data = str(spec or "the micrograph in the version")
        folder = conversion_folder(version, form)
        talk(f"Would convert {version.reference} into {folder}, and compare on {data}.")
        if as_json:
            echo_json({"folder": str(folder), "compared_on": data})
        return
    start_tensorflow()
    from defectkeras.workflows.convert import convert

    with progress_bar("comparing") as on_progress:
        folder, parities = convert(
            reference,
            form,
            spec_path=spec,
            split=split,
            root=root,
            registry_root=registry_root,
            replace=overwrite,
            on_progress=on_progress,
        )
    if as_json:
        parity = [dataclasses.asdict(p) for p in parities]
        echo_json({"folder": str(folder), "parity": parity})
        return
    talk(f"Wrote {folder}.")
    _echo(parities)


@click.command("runtimes")
@reference_argument
@click.argument("spec", type=EXISTING)
@split_option
@click.option(
    "--runtime",
    "runtimes",
    type=click.Choice(RUNTIMES[1:]),
    multiple=True,
    help="Engine to compare; repeatable. By default all that the version is "
    "converted for.",
)
@root_option
@registry_option
@json_option
def benchmark_runtimes(
    reference: str,
    spec: Path,
    split: str,
    runtimes: tuple[str, ...],
    root: Path | None,
    registry_root: Path,
    as_json: bool,
) -> None:
    """Segment the micrographs of SPEC by each engine, side by side.

    Each is compared with Keras in float64; "keras" and "tensorflow" (the SavedModel)
    tell how far two computations in float32 are off at all.
    """
    start_tensorflow()
    from defectkeras.workflows.convert import compare_on_spec

    with progress_bar("comparing") as on_progress:
        parities = compare_on_spec(
            reference,
            spec,
            runtimes=runtimes,
            split=split,
            root=root,
            registry_root=registry_root,
            on_progress=on_progress,
        )
    if as_json:
        echo_json([dataclasses.asdict(p) for p in parities])
    else:
        _echo(parities)


def _echo(parities: tuple["Parity", ...]) -> None:
    """Print how far each engine is off from float64, and how fast it is."""
    click.echo(
        f"{'runtime':<16}{'probability off':>16}{'in the mean':>13}{'same class':>12}"
        f"{'quantity off':>14}{'s per MP':>10}{'times as fast':>15}"
    )
    seconds = {p.runtime: p.seconds_per_megapixel for p in parities}
    for p in parities:
        quantity = p.largest_quantity_error
        times = seconds["tensorflow"] / p.seconds_per_megapixel
        click.echo(
            f"{p.runtime:<16}{p.largest_difference:>16.1e}{p.mean_difference:>13.1e}"
            f"{100 * p.class_agreement:>10.3f} %"
            f"{'-' if quantity is None else f'{100 * quantity:.3f} %':>14}"
            f"{p.seconds_per_megapixel:>10.3f}{times:>15.2f}"
        )
