"""From a data spec to a plan: settings that fit the set and this machine."""

from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from defectkeras.core.errors import TrainingError
from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.datasets.survey import survey_examples
from defectkeras.quantification.line_graph import widths_in_mask_px
from defectkeras.workflows.training_card import num_maps

if TYPE_CHECKING:
    from defectkeras.training.plan import Choice
    from defectkeras.training.settings import Settings


def plan_for_spec(
    spec_path: Path, *, root: Path | None = None, memory_gib: float | None = None
) -> "tuple[Choice, ...]":
    """Measure the training split of a data spec and choose settings for it.

    The other splits are not looked at, so that what is chosen cannot make their
    scores better than they are.

    Args:
        spec_path: The data spec.
        root: Folder of its files, in place of its own.
        memory_gib: Of the device that trains; None takes that of this computer,
            where it has no GPU.

    Raises:
        DatasetError: When the data spec has a fault, or nothing to train on.
        TrainingError: When the memory is not known.
    """
    from defectkeras.training.plan import make_plan

    spec = load_dataset_spec(spec_path, root=root)
    examples = spec.require_split("train")
    memory_bytes = memory_of_device() if memory_gib is None else memory_gib * 2**30
    return make_plan(
        survey_examples(examples, spec.scheme, widths_in_mask_px),
        num_maps=num_maps(spec),
        memory_bytes=int(memory_bytes),
    )


def memory_of_device() -> int:
    """Give the installed memory in bytes, where training takes the CPU.

    Raises:
        TrainingError: With a GPU, whose memory TensorFlow does not tell.
    """
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        raise TrainingError(
            "The memory of the GPU must be told. Give it by --memory-gib; "
            "`nvidia-smi` lists it."
        )
    return int(psutil.virtual_memory().total)


def settings_for_spec(
    spec_path: Path,
    *,
    root: Path | None = None,
    layers: "dict[str, dict[str, object]]",
) -> "Settings":
    """Merge settings and build the network they name, so that slips are told.

    Args:
        spec_path: The data spec.
        root: Folder of its files, in place of its own.
        layers: As `resolve_settings` takes them.

    Raises:
        DatasetError: When the data spec has a fault.
        ModelError: When the architecture or an argument of it is unknown.
        TrainingError: When settings are wrong, or do not go with the network.
    """
    from defectkeras.models.build import build_model
    from defectkeras.training.prepare import check_model
    from defectkeras.training.settings import resolve_settings

    spec = load_dataset_spec(spec_path, root=root)
    settings = resolve_settings(layers)
    arguments = {"num_classes": num_maps(spec), **settings.arguments}
    model = build_model(settings.architecture, **arguments)
    check_model(model, spec.scheme, settings.config)
    return settings
