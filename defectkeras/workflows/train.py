"""From a data spec to a new version in the registry."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from defectkeras.core.arrays import Image
from defectkeras.core.errors import DatasetError
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
from defectkeras.workflows.training_request import TrainingRequest, write_request

if TYPE_CHECKING:
    import keras

    from defectkeras.training.config import TrainingConfig
    from defectkeras.training.progress import TrainingProgress
    from defectkeras.training.strategy import Devices
    from defectkeras.training.train import TrainingRun

__all__ = ["TrainingRequest", "train"]

logger = logging.getLogger(__name__)
SPLITS: tuple[SplitName, ...] = ("train", "val")


MIN_STEPS_TO_MEASURE = 1000  # a shorter run would not win back what measuring takes


def train(
    request: TrainingRequest,
    config: "TrainingConfig",
    *,
    on_progress: "Callable[[TrainingProgress], None] | None" = None,
) -> "tuple[ModelVersion | None, TrainingRun]":
    """Train a model on a data spec and publish it as a new version.

    Args:
        request: What is to be trained, and where it goes.
        config: The settings of the training.
        on_progress: Called after each step and each validation.

    Returns:
        The new version, whose card holds the scores on the validation split, and
        the run. Of several workers the first one alone publishes; the others get
        None.

    Raises:
        DatasetError: When the data spec or its files have a fault.
        TrainingError: When the run cannot start, go on or end well.
        RegistryError: When the version cannot be published.
    """
    from defectkeras.training import train as training
    from defectkeras.training.environment import make_deterministic
    from defectkeras.training.strategy import choose_devices

    spec, name = _load_spec(request)
    run_folder = request.chosen_run_folder(name)
    devices = choose_devices(config.strategy)
    logger.info("Devices: %s", devices.reason)
    if config.deterministic:
        make_deterministic()
    pixel_sizes_nm = [
        load_micrograph(e).calibration.pixel_size_nm for e in spec.of_split("train")
    ]
    model = _build_model(request, spec, config, devices)
    if devices.is_chief and not request.resume:
        write_request(request, run_folder)
    run = training.train(
        model,
        spec.of_split("train"),
        spec.of_split("val"),
        spec.scheme,
        config,
        run_folder=run_folder,
        resume=request.resume,
        devices=devices,
        on_progress=on_progress,
    )
    if not devices.is_chief:
        return None, run
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

    spec, name = _load_spec(request)
    model = build_model(
        request.architecture, num_classes=_num_maps(spec), **request.arguments
    )
    return spec, name, model


def _load_spec(request: TrainingRequest) -> tuple[DatasetSpec, str]:
    """Load the data spec and choose the name in the registry."""
    spec = load_dataset_spec(request.spec_path, root=request.root)
    name = require_name(request.name or spec.name)
    _require_splits(spec)
    return spec, name


def _build_model(
    request: TrainingRequest,
    spec: DatasetSpec,
    config: "TrainingConfig",
    devices: "Devices",
) -> "keras.Model":
    """Choose the precision and build the model, seeded, on its devices."""
    import keras

    from defectkeras.models.build import build_model
    from defectkeras.training.environment import seed_everything
    from defectkeras.training.precision import choose_precision
    from defectkeras.training.run_folder import ENVIRONMENT, read_run_file
    from defectkeras.training.step_time import step_seconds

    def build() -> keras.Model:
        arguments = {"num_classes": _num_maps(spec), **request.arguments}
        return build_model(request.architecture, **arguments)

    requested = config.precision
    if request.resume and request.run_folder:
        requested = read_run_file(request.run_folder, ENVIRONMENT)["precision"]
    pays = (
        config.epochs * config.steps_per_epoch >= MIN_STEPS_TO_MEASURE
        and devices.replicas == 1
        and not config.deterministic
    )
    choice = choose_precision(
        requested,
        measure=(lambda policy: step_seconds(build, config, policy)) if pays else None,
    )
    logger.info("Precision %s: %s", choice.policy, choice.reason)
    seed_everything(config.seed)
    keras.config.set_dtype_policy(choice.policy)
    with devices.strategy.scope():
        return build()


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
