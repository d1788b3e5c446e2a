"""Train a model that ships in saved_models/ again, and publish it.

    python examples/train_shipped.py dci-stem
    python examples/train_shipped.py precipitates-cr --root FOLDER

Each has a recipe in recipes/: a plan, as `defectkeras plan` writes one, with its
seed. FOLDER holds the public set (`source` in the data spec tells where it is); for
loops, both of its sets. The synthetic ones, dci-stem and bright-field-tem, are made on
the way, same seeds, same bytes. loops begins with the weights of bright-field-tem,
loops-defectsegnet with those of dci-stem@1, which dci-stem-defectsegnet makes; the
registry must have them. The same command again goes on with a run that was stopped.
Minutes to hours on two CPU cores.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.version import ModelVersion
from defectkeras.training.config import TrainingConfig, read_toml
from defectkeras.training.progress import OnProgress, show_progress
from defectkeras.training.run_folder import CONFIG, read_run_file
from defectkeras.training.settings import resolve_settings
from defectkeras.training.train import TrainingRun
from defectkeras.workflows.finetune import FinetuneRequest, finetune
from defectkeras.workflows.synthesize import SynthesisPlan, synthesize_dataset
from defectkeras.workflows.train import TrainingRequest, train
from defectkeras.workflows.train_folds import train_folds
from defectkeras.workflows.training_request import request_to_resume

HERE = Path(__file__).parent
DATA_SPECS = HERE.parent / "data_specs"
UNKNOWN_CALIBRATION = (
    "The pixel size of its micrographs is not known: objects should be as large in "
    "pixels as those it was trained on. "
)


@dataclass(frozen=True)
class Shipped:
    """A shipped model; `data` is a data spec, or what to synthesize.

    With a `parent`, a shipped model too, it begins with the weights of that one. With
    `folds`, so many networks vouch for the one that has learned from all.
    """

    data: Path | SynthesisPlan
    description: str
    limits: str
    parent: str | None = None
    folds: int = 0


SYNTHETIC_LIMITS = (
    "It has only ever seen synthetic micrographs: there is no open annotated set of "
    "dislocation lines or of voids to test it on. Expect it to find much on real "
    "{kind} micrographs and to be wrong about some of it; check the overlays, and "
    "train on some micrographs of your own before you publish a number."
)


def _foils(preset: str, pixel_sizes_nm: tuple[float, ...], seed: int) -> SynthesisPlan:
    return SynthesisPlan(
        preset=preset,
        count=60,
        shape=(576, 704),
        pixel_sizes_nm=pixel_sizes_nm,
        seed=seed,
        val_fraction=0.1,
    )


DCI_STEM = Shipped(
    _foils("dci-stem", (0.7, 0.85, 1.0, 1.2), seed=1000),
    "Dislocations, precipitates and voids in DCI-STEM micrographs",
    SYNTHETIC_LIMITS.format(kind="DCI-STEM"),
)
BRIGHT_FIELD_TEM = Shipped(
    _foils("bright-field-tem", (0.5, 0.8, 1.2, 1.6), seed=2000),
    "Dislocations, precipitates, voids and loops in bright-field TEM micrographs",
    SYNTHETIC_LIMITS.format(kind="bright-field TEM"),
)
LOOPS = Shipped(
    HERE / "loops.toml",
    "Dislocation loops and black spots in bright-field TEM micrographs",
    "It has seen synthetic foils and two real fields, one of 316L steel and one of "
    "neutron-irradiated titanium, on which two annotators agree poorly (IoU 0.23 to "
    "0.79); it was validated on a quarter of each. Count by hand on a field of your "
    "own before you publish a number.",
    parent="bright-field-tem",
)
LOOPS_DEFECTSEGNET = replace(LOOPS, parent="dci-stem@1")
CR = Shipped(
    DATA_SPECS / "precipitates-cr.toml",
    "Precipitates in SEM micrographs of chromium superalloys",
    f"{UNKNOWN_CALIBRATION}It has seen one family of alloys, and misses sides of "
    "precipitates that are as bright as the matrix.",
)
NI = Shipped(
    DATA_SPECS / "precipitates-ni.toml",
    "Secondary and tertiary gamma-prime in SEM micrographs of nickel superalloys",
    f"{UNKNOWN_CALIBRATION}It has seen 10 micrographs of 512x512 px of one alloy, and "
    "tells the two populations apart by their size in pixels.",
)
CRACKS = Shipped(
    DATA_SPECS / "cracks-ebc.toml",
    "Thermally grown oxide and cracks in SEM micrographs of barrier coatings",
    f"{UNKNOWN_CALIBRATION}It has seen 16 cross-sections; cracks are 0.3 % of the "
    "pixels and a pixel or two wide, and some are missed.",
)
SHIPPED = {
    "dci-stem": DCI_STEM,
    "dci-stem-defectsegnet": DCI_STEM,
    "bright-field-tem": BRIGHT_FIELD_TEM,
    "loops": LOOPS,
    "loops-defectsegnet": LOOPS_DEFECTSEGNET,
    "precipitates-cr": replace(CR, folds=4),
    "precipitates-cr-defectsegnet": CR,
    "precipitates-ni": NI,
    "precipitates-ni-defectsegnet": NI,
    "oxide-cracks": CRACKS,
    "oxide-cracks-defectsegnet": CRACKS,
}


def main() -> None:
    """Synthesize where needed, train or go on, publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=SHIPPED)
    parser.add_argument("--root", type=Path, help="folder of the public set")
    parser.add_argument("--work", type=Path, default=Path("runs/shipped"))
    parser.add_argument("--registry", type=Path, default=Path("saved_models"))
    arguments = parser.parse_args()
    with show_progress() as on_progress:
        version, runs = _train(arguments, SHIPPED[arguments.name], on_progress)
    for run in runs:
        print(f"Best epoch {run.best_epoch}, validation score {run.best_score:.3f}")
    if version is not None:  # the first of several workers publishes
        print(f"Published {version.reference}, sha256 {version.sha256}")


def _train(
    arguments: argparse.Namespace, shipped: Shipped, on_progress: OnProgress
) -> tuple[ModelVersion | None, tuple[TrainingRun, ...]]:
    name, run_folder = arguments.name, arguments.work / arguments.name
    if run_folder.exists():
        first = run_folder / "fold_1" if shipped.folds else run_folder
        config = resolve_settings({"run": read_run_file(first, CONFIG)}).config
        return _learn(request_to_resume(run_folder), config, on_progress)
    recipe = {"plan": read_toml(HERE / "recipes" / f"{name}.toml")}
    data = _data_spec(shipped, arguments.work / f"{name}-data")
    told = {
        "root": arguments.root,
        "name": name,
        "registry_root": arguments.registry,
        "run_folder": run_folder,
        "description": shipped.description,
        "limits": shipped.limits,
    }
    if shipped.parent is not None:
        _require_alike(arguments, shipped.parent, recipe["plan"])
        request = FinetuneRequest(shipped.parent, data, settings=recipe, **told)
        version, run = finetune(request, on_progress=on_progress)
        return version, (run,)
    settings = resolve_settings(recipe)
    request = TrainingRequest(
        data,
        architecture=settings.architecture,
        arguments=settings.arguments,
        folds=shipped.folds,
        **told,
    )
    return _learn(request, settings.config, on_progress)


def _learn(
    request: TrainingRequest, config: TrainingConfig, on_progress: OnProgress
) -> tuple[ModelVersion | None, tuple[TrainingRun, ...]]:
    if request.folds:
        return train_folds(request, config, on_progress=on_progress)
    version, run = train(request, config, on_progress=on_progress)
    return version, (run,)


def _require_alike(
    arguments: argparse.Namespace, parent: str, plan: dict[str, Any]
) -> None:
    """Refuse a dci-stem@1 that is another network than the one that ships."""
    card = ModelRegistry(arguments.registry).resolve(parent).card
    wanted = plan.get("architecture", card.architecture)
    if card.architecture != wanted:
        sys.exit(
            f"{arguments.name} begins with the weights of a {wanted}. Received: "
            f"{parent} in {arguments.registry}, of a {card.architecture}. Take "
            "--registry saved_models as it ships."
        )


def _data_spec(shipped: Shipped, folder: Path) -> Path:
    if isinstance(shipped.data, Path):
        return shipped.data
    spec = folder / "dataset.toml"
    return spec if spec.exists() else synthesize_dataset(folder, shipped.data)


if __name__ == "__main__":
    main()
