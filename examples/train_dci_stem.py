"""Train the model `dci-stem` that ships in saved_models/, from nothing.

Synthesizes the training set (same seeds, same bytes), trains DefectSegNet on
it with the settings beside this file, and publishes the next version:

    python examples/train_dci_stem.py

Takes about an hour on two CPU cores.
"""

import argparse
from pathlib import Path

from defectkeras.training.config import load_training_config
from defectkeras.training.progress import show_progress
from defectkeras.workflows.synthesize import SynthesisPlan, synthesize_dataset
from defectkeras.workflows.train import TrainingRequest, train

SETTINGS = Path(__file__).with_name("train_dci_stem.toml")
PLAN = SynthesisPlan(
    preset="dci-stem",
    count=60,
    shape=(576, 704),
    pixel_sizes_nm=(0.7, 0.85, 1.0, 1.2),
    seed=1000,
    val_fraction=0.1,
)
LIMITS = (
    "It has only ever seen synthetic micrographs: there is no open annotated set of "
    "dislocation lines or of voids to test it on. Expect it to find much on real "
    "DCI-STEM micrographs and to be wrong about some of it; check the overlays, and "
    "train on some micrographs of your own before you publish a number."
)


def main() -> None:
    """Synthesize, train, publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("runs/dci-stem"))
    parser.add_argument("--registry", type=Path, default=Path("saved_models"))
    arguments = parser.parse_args()
    data = arguments.work / "data"
    spec = data / "dataset.toml"
    if not spec.exists():
        synthesize_dataset(data, PLAN)
    request = TrainingRequest(
        spec,
        name="dci-stem",
        registry_root=arguments.registry,
        run_folder=arguments.work / "run",
        description="Dislocations, precipitates and voids in DCI-STEM micrographs",
        limits=LIMITS,
    )
    with show_progress() as on_progress:
        version, run = train(
            request, load_training_config(SETTINGS), on_progress=on_progress
        )
    print(run)
    print(f"Published {version.reference}, sha256 {version.sha256}")


if __name__ == "__main__":
    main()
