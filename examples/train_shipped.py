"""Train a model that ships in saved_models/, from nothing, and publish it.

    python examples/train_shipped.py dci-stem
    python examples/train_shipped.py precipitates-cr --root FOLDER

Each has a recipe in recipes/: a plan, as `defectkeras plan` writes one, with its
seed. FOLDER holds the public set (`source` in the data spec tells where it is);
dci-stem synthesizes its own, same seeds, same bytes. The same command again goes on
with a run that was stopped. Minutes to hours on two CPU cores.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from defectkeras.training.config import read_toml
from defectkeras.training.progress import show_progress
from defectkeras.training.settings import resolve_settings
from defectkeras.workflows.synthesize import SynthesisPlan, synthesize_dataset
from defectkeras.workflows.train import TrainingRequest, train
from defectkeras.workflows.training_request import request_to_resume

HERE = Path(__file__).parent
DATA_SPECS = HERE.parent / "data_specs"
UNKNOWN_CALIBRATION = (
    "The pixel size of its micrographs is not known: objects should be as large in "
    "pixels as those it was trained on. "
)


@dataclass(frozen=True)
class Shipped:
    """A shipped model; `data` is a data spec, or what to synthesize."""

    data: str | SynthesisPlan
    description: str
    limits: str


SYNTHETIC_FOILS = SynthesisPlan(
    preset="dci-stem",
    count=60,
    shape=(576, 704),
    pixel_sizes_nm=(0.7, 0.85, 1.0, 1.2),
    seed=1000,
    val_fraction=0.1,
)
DCI_STEM_LIMITS = (
    "It has only ever seen synthetic micrographs: there is no open annotated set of "
    "dislocation lines or of voids to test it on. Expect it to find much on real "
    "DCI-STEM micrographs and to be wrong about some of it; check the overlays, and "
    "train on some micrographs of your own before you publish a number."
)
CR = Shipped(
    "precipitates-cr.toml",
    "Precipitates in SEM micrographs of chromium superalloys",
    f"{UNKNOWN_CALIBRATION}It has seen 15 micrographs of one family of alloys.",
)
NI = Shipped(
    "precipitates-ni.toml",
    "Secondary and tertiary gamma-prime in SEM micrographs of nickel superalloys",
    f"{UNKNOWN_CALIBRATION}It has seen 10 micrographs of 512x512 px of one alloy, and "
    "tells the two populations apart by their size in pixels.",
)
CRACKS = Shipped(
    "cracks-ebc.toml",
    "Thermally grown oxide and cracks in SEM micrographs of barrier coatings",
    f"{UNKNOWN_CALIBRATION}It has seen 16 cross-sections; cracks are 0.3 % of the "
    "pixels and a pixel or two wide, and some are missed.",
)
SHIPPED = {
    "dci-stem": Shipped(
        SYNTHETIC_FOILS,
        "Dislocations, precipitates and voids in DCI-STEM micrographs",
        DCI_STEM_LIMITS,
    ),
    "precipitates-cr": CR,
    "precipitates-cr-defectsegnet": CR,
    "precipitates-ni": NI,
    "oxide-cracks": CRACKS,
}


def main() -> None:
    """Synthesize where needed, train or go on, publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=SHIPPED)
    parser.add_argument("--root", type=Path, help="folder of the public set")
    parser.add_argument("--work", type=Path, default=Path("runs/shipped"))
    parser.add_argument("--registry", type=Path, default=Path("saved_models"))
    arguments = parser.parse_args()
    name, shipped = arguments.name, SHIPPED[arguments.name]
    settings = resolve_settings({"plan": read_toml(HERE / "recipes" / f"{name}.toml")})
    run_folder = arguments.work / name
    if run_folder.exists():
        request = request_to_resume(run_folder)
    else:
        request = TrainingRequest(
            _data_spec(shipped, arguments.work / f"{name}-data"),
            root=arguments.root,
            architecture=settings.architecture,
            arguments=settings.arguments,
            name=name,
            registry_root=arguments.registry,
            run_folder=run_folder,
            description=shipped.description,
            limits=shipped.limits,
        )
    with show_progress() as on_progress:
        version, run = train(request, settings.config, on_progress=on_progress)
    print(f"Best epoch {run.best_epoch}, validation score {run.best_score:.3f}")
    if version is not None:  # the first of several workers publishes
        print(f"Published {version.reference}, sha256 {version.sha256}")


def _data_spec(shipped: Shipped, folder: Path) -> Path:
    if isinstance(shipped.data, str):
        return DATA_SPECS / shipped.data
    spec = folder / "dataset.toml"
    return spec if spec.exists() else synthesize_dataset(folder, shipped.data)


if __name__ == "__main__":
    main()
