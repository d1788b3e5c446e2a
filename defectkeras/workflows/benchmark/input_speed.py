"""The input pipeline against the training step, on the data of a spec."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.workflows.fresh_model import build_model_for
from defectkeras.workflows.training_request import TrainingRequest

if TYPE_CHECKING:
    from defectkeras.training.input_speed import InputSpeed
    from defectkeras.training.settings import Settings

logger = logging.getLogger(__name__)


def benchmark_input(
    spec_path: Path,
    settings: "Settings",
    *,
    root: Path | None = None,
    steps: int = 10,
) -> "InputSpeed":
    """Measure how fast patches are made and used with these settings.

    Args:
        spec_path: The data spec; its training split is read.
        settings: Architecture and settings, as for a training.
        root: Folder of its files, in place of its own.
        steps: Training steps to measure.

    Raises:
        DatasetError: When the data spec or its files have a fault.
        TrainingError: When the settings do not fit.
    """
    from defectkeras.pipelines.store import load_store
    from defectkeras.training.input_speed import measure_input_speed
    from defectkeras.training.prepare import build_parts, check_model
    from defectkeras.training.strategy import choose_devices

    config = settings.config
    spec = load_dataset_spec(spec_path, root=root)
    request = TrainingRequest(
        spec_path,
        root=root,
        architecture=settings.architecture,
        arguments=settings.arguments,
    )
    devices = choose_devices("one")
    model = build_model_for(request, spec, config, devices)
    check_model(model, spec.scheme, config)
    store = load_store(
        spec.of_split("train"),
        spec.scheme,
        target_pixel_size_nm=config.target_pixel_size_nm,
    )
    stores = {"train": store, "val": store}  # nothing is validated here
    parts = build_parts(model, stores, spec.scheme, config, devices)
    return measure_input_speed(parts, config, devices, steps=steps)
