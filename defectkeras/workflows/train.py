"""From a data spec to a new version in the registry."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from defectkeras.core.arrays import Image
from defectkeras.core.errors import DatasetError, TrainingError
from defectkeras.datasets.fingerprint import fingerprint_examples
from defectkeras.datasets.form import SplitName
from defectkeras.datasets.spec import (
    DatasetSpec,
    load_dataset_spec,
    load_example,
    load_micrograph,
)
from defectkeras.prediction.tiling import choose_halo
from defectkeras.registry.card import ModelCard
from defectkeras.registry.names import require_name
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.workflows.segment import SegmentSettings

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.progress import TrainingProgress
    from defectkeras.training.train import TrainingRun

SPLITS: tuple[SplitName, ...] = ("train", "val")


@dataclasses.dataclass(frozen=True)
class TrainingRequest:
    """What is to be trained, and where it goes.

    Attributes:
        spec_path: The data spec.
        root: Folder of its files, in place of its own.
        architecture: A row of `MODEL_BUILDERS`.
        arguments: Arguments of the builder beside the number of classes.
        name: Name in the registry; None takes that of the data spec.
        registry_root: Folder of the registry; None takes the default.
        run_folder: Folder of the run's files, new; None takes one in runs/.
        description: One sentence for the card; None writes a plain one.
        limits: For the card; None writes what is always true.
    """

    spec_path: Path
    root: Path | None = None
    architecture: str = "defectsegnet"
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    name: str | None = None
    registry_root: Path | None = None
    run_folder: Path | None = None
    description: str | None = None
    limits: str | None = None

    def chosen_run_folder(self, name: str) -> Path:
        """Give the run folder; without one, a name that tells model and time."""
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        return self.run_folder or Path("runs") / f"{name}-{moment}"


def train(
    request: TrainingRequest,
    config: "TrainingConfig",
    *,
    on_progress: "Callable[[TrainingProgress], None] | None" = None,
) -> "tuple[ModelVersion, TrainingRun]":
    """Train a model on a data spec and publish it as a new version.

    Args:
        request: What is to be trained, and where it goes.
        config: The settings of the training.
        on_progress: Called after each step and each validation.

    Returns:
        The new version, whose card holds the scores on the validation split, and
        the run.

    Raises:
        DatasetError: When the data spec or its files have a fault.
        TrainingError: When the run cannot start, go on or end well.
        RegistryError: When the version cannot be published.
    """
    import keras

    from defectkeras.training import train as training
    from defectkeras.training.environment import seed_everything
    from defectkeras.training.precision import choose_precision

    seed_everything(config.seed)
    keras.config.set_dtype_policy(choose_precision(config.precision).policy)
    spec, name, model = plan_training(request)
    pixel_sizes_nm = [
        load_micrograph(e).calibration.pixel_size_nm for e in spec.of_split("train")
    ]
    run = training.train(
        model,
        spec.of_split("train"),
        spec.of_split("val"),
        spec.scheme,
        config,
        run_folder=request.chosen_run_folder(name),
        on_progress=on_progress,
    )
    if run.stop_reason == "interrupted":
        raise TrainingError(f"{run} Nothing was published.")
    card = _card(
        request,
        spec,
        config,
        run,
        name=name,
        pixel_size_range_nm=_pixel_size_range(pixel_sizes_nm, config),
    )
    version = ModelRegistry(request.registry_root).publish(
        name,
        model,
        card,
        golden_image=_golden_image(spec),
        extra_files={
            "dataset_spec.toml": spec.path,
            "history.csv": run.run_folder / "history.csv",
        },
    )
    return version, run


def plan_training(request: TrainingRequest) -> "tuple[DatasetSpec, str, keras.Model]":
    """Load the data spec, choose the name in the registry, build the model.

    Args:
        request: What is to be trained, and where it goes.

    Raises:
        DatasetError: When the data spec has a fault, or a split is empty.
        ModelError: When the architecture or an argument of it is unknown.
        RegistryError: When the name cannot be one in the registry.
    """
    from defectkeras.models.build import build_model

    spec = load_dataset_spec(request.spec_path, root=request.root)
    name = require_name(request.name or spec.name)
    _require_splits(spec)
    model = build_model(
        request.architecture, num_classes=_num_maps(spec), **request.arguments
    )
    return spec, name, model


def _num_maps(spec: DatasetSpec) -> int:
    """Give one sigmoid map for one defect class, else a softmax over all."""
    classes = spec.scheme.num_classes
    return 1 if classes == 2 else classes


def _require_splits(spec: DatasetSpec) -> None:
    for split in SPLITS:
        if not spec.of_split(split):
            raise DatasetError(
                f'{spec.path}: the split "{split}" must have a micrograph to train '
                "with. Received: none. Name some under [split]."
            )


def _golden_image(spec: DatasetSpec) -> Image:
    """Give the validation micrograph with the most defect pixels."""
    examples = (load_example(e, spec.scheme) for e in spec.of_split("val"))
    best = max(examples, key=lambda e: int((e.class_map > 0).sum()))
    return best.micrograph.pixels


def _pixel_size_range(
    sizes_nm: Sequence[float | None], config: "TrainingConfig"
) -> tuple[float, float] | None:
    """Give the pixel sizes that were seen, the scale augmentation included."""
    known = [size for size in sizes_nm if size is not None]
    if len(known) < len(sizes_nm):
        return None
    smallest, largest = config.augmentation.scale_range
    return min(known) / largest, max(known) / smallest


def _card(
    request: TrainingRequest,
    spec: DatasetSpec,
    config: "TrainingConfig",
    run: "TrainingRun",
    *,
    name: str,
    pixel_size_range_nm: tuple[float, float] | None,
) -> ModelCard:
    from defectkeras.models.build import describe_architecture
    from defectkeras.training.environment import describe_environment

    facts = describe_architecture(run.model)
    defects = ", ".join(c.name for c in spec.scheme.defects)
    return ModelCard(
        name=name,
        description=request.description
        or f"{request.architecture} for {defects}, trained on {spec.name}",
        architecture=request.architecture,
        arguments={"num_classes": _num_maps(spec), **request.arguments},
        scheme=spec.scheme,
        stride=facts.stride,
        receptive_field_px=facts.receptive_field_px,
        pixel_size_range_nm=pixel_size_range_nm,
        dataset_name=spec.name,
        dataset_fingerprint=fingerprint_examples(spec.examples),
        split={
            split: [e.name for e in spec.of_split(split)]
            for split in ("train", "val", "test")
        },
        license="Apache-2.0",
        attribution=f"{spec.source} ({spec.license})",
        config=dataclasses.asdict(config),
        metrics={
            "split": "val",
            "protocol": "whole micrographs, pixels pooled, most probable class",
            "best_epoch": run.best_epoch,
            "scores": {
                score: value
                for score, value in run.history[run.best_epoch - 1].items()
                if score.startswith("val_")
            },
        },
        environment=describe_environment(),
        intended_use=f"Segmentation of {defects} in micrographs like those of "
        f"{spec.name}: {spec.description}",
        limits=request.limits or _limits(facts.receptive_field_px),
    )


def _limits(receptive_field_px: int | None) -> str:
    """Say what is always true, and whether the tiling can show in the results."""
    limits = (
        "Known to work on nothing but the validation split of its data spec. "
        "Check the overlays of each new material, microscope and magnification."
    )
    tile_size = SegmentSettings().tile_size
    halo = choose_halo(receptive_field_px, tile_size)
    if receptive_field_px is not None and receptive_field_px // 2 <= halo:
        return limits
    return (
        f"{limits} The network looks farther than the halo of a tile ({halo} px for "
        f"{tile_size} px), so that its results depend a little on the tile size "
        "(docs/prediction.md)."
    )
