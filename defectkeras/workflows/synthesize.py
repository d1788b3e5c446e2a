"""A folder of synthetic micrographs with their truth, and its data spec."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from defectkeras.core.errors import DatasetError
from defectkeras.core.files import whole_folder, write_json
from defectkeras.core.names import require_known
from defectkeras.datasets.write import write_dataset_spec
from defectkeras.micrographs.annotations import write_class_map, write_label_map
from defectkeras.micrographs.write import write_micrograph
from defectkeras.synthesis.presets import PRESETS
from defectkeras.synthesis.synthesize import synthesize


@dataclass(frozen=True)
class SynthesisPlan:
    """What to synthesize.

    Attributes:
        preset: A row of `PRESETS`.
        count: Number of micrographs.
        shape: (H, W) in pixels.
        pixel_sizes_nm: Pixel sizes in nm; the micrographs take turns.
        foil_thickness_nm: Foil thickness in nm.
        seed: Micrograph i is drawn with seed + i.
        val_fraction: Share of the micrographs, the last ones, for validation.
    """

    preset: str = "dci-stem"
    count: int = 10
    shape: tuple[int, int] = (512, 640)
    pixel_sizes_nm: tuple[float, ...] = (1.0,)
    foil_thickness_nm: float = 100.0
    seed: int = 0
    val_fraction: float = 0.2

    def names(self) -> list[str]:
        """Give the names of the micrographs, in order."""
        return [f"{self.preset}_{self.seed + i:05d}" for i in range(self.count)]

    def describe(self) -> str:
        """Say it in one sentence."""
        height, width = self.shape
        sizes = ", ".join(f"{size:g}" for size in self.pixel_sizes_nm)
        return (
            f"{self.count} synthetic foils of known three-dimensional truth, preset "
            f"{self.preset}, {height} x {width} px of {sizes} nm, "
            f"{self.foil_thickness_nm:g} nm thick, seed {self.seed}."
        )


def synthesize_dataset(
    folder: Path,
    plan: SynthesisPlan,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write synthetic micrographs, their truth and a data spec, whole or not at all.

    Args:
        folder: Where they go; it must not exist. It gets micrographs/NAME.tif,
            annotations/NAME.png (class maps), objects/NAME.tif (object numbers),
            truth/NAME.json (the three-dimensional truth) and dataset.toml.
        plan: What to synthesize.
        on_progress: Called with the number done and the number of all.

    Returns:
        The path of the data spec.

    Raises:
        DatasetError: When the folder exists or the preset is unknown.
    """
    require_new(folder, plan)
    names = plan.names()
    with whole_folder(folder) as temporary:
        for number, name in enumerate(names):
            _write_one(temporary, plan, number, name)
            if on_progress is not None:
                on_progress(number + 1, plan.count)
        num_val = round(plan.count * plan.val_fraction)
        write_dataset_spec(
            temporary,
            name=f"synthetic-{plan.preset}",
            description=plan.describe(),
            scheme=PRESETS[plan.preset].scheme,
            split={
                "train": names[: plan.count - num_val],
                "val": names[plan.count - num_val :],
            },
            license="CC0-1.0",
            source="defectkeras data synthesize",
        )
    return folder / "dataset.toml"


def require_new(folder: Path, plan: SynthesisPlan) -> None:
    """Check what would stop `synthesize_dataset` before it begins.

    Raises:
        DatasetError: When the folder exists or the preset is unknown.
    """
    require_known(plan.preset, PRESETS, what="preset", error=DatasetError)
    if folder.exists():
        raise DatasetError(f"The folder must not exist yet. Received: {folder}.")


def _write_one(folder: Path, plan: SynthesisPlan, number: int, name: str) -> None:
    scene = synthesize(
        plan.preset,
        shape=plan.shape,
        pixel_size_nm=plan.pixel_sizes_nm[number % len(plan.pixel_sizes_nm)],
        foil_thickness_nm=plan.foil_thickness_nm,
        seed=plan.seed + number,
        name=name,
    )
    for part in ("micrographs", "annotations", "objects", "truth"):
        (folder / part).mkdir(exist_ok=True)
    write_micrograph(scene.micrograph, folder / "micrographs" / f"{name}.tif")
    write_class_map(scene.class_map, folder / "annotations" / f"{name}.png")
    write_label_map(scene.label_map, folder / "objects" / f"{name}.tif")
    write_json(folder / "truth" / f"{name}.json", scene.truth.to_dict())
