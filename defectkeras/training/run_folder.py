"""The files of a run: what went in, how it went, and the best weights.

::

    <run folder>/
    ├── config.json        the settings
    ├── environment.json   versions and devices
    ├── inputs.json        names and fingerprints of the examples, class counts
    ├── history.csv        one row per epoch
    ├── best.weights.h5    of the epoch with the best mean IoU of the defects
    └── logs/              for TensorBoard
"""

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from defectkeras.core.errors import TrainingError
from defectkeras.core.files import whole_file, write_json, write_whole
from defectkeras.pipelines.store import ImageStore
from defectkeras.training.config import TrainingConfig
from defectkeras.training.environment import describe_environment

BEST_WEIGHTS = "best.weights.h5"
HISTORY = "history.csv"
LOGS = "logs"

_HDF5_BYTES_PER_VARIABLE = 4096  # about 700 measured
_CHUNK_BYTES = 1 << 20

Row = Mapping[str, float | None]


def start_run_folder(
    run_folder: Path,
    config: TrainingConfig,
    model: keras.Model,
    stores: Mapping[str, ImageStore],
) -> None:
    """Write what is known before the first step.

    Args:
        run_folder: Made when it is missing; must not hold a run.
        config: The settings.
        model: To be trained.
        stores: Split to its examples.

    Raises:
        TrainingError: When the folder holds a run already.
        OSError: When it cannot be written.
    """
    if (run_folder / "config.json").exists():
        raise TrainingError(
            f"{run_folder}: holds a run already, and a run is never overwritten. "
            "Name another folder."
        )
    environment = {
        **describe_environment(),
        "precision": model.dtype_policy.name,
        "model": {"name": model.name, "parameters": model.count_params()},
    }
    write_json(run_folder / "environment.json", environment)
    inputs = {split: _describe(store) for split, store in stores.items()}
    write_json(run_folder / "inputs.json", inputs)
    write_json(run_folder / "config.json", dataclasses.asdict(config))


def _describe(store: ImageStore) -> list[dict[str, Any]]:
    rows = zip(store.names, store.fingerprints, store.class_counts, strict=True)
    return [
        {"name": name, "fingerprints": prints, "class_counts": counts.tolist()}
        for name, prints, counts in rows
    ]


def write_history(rows: Sequence[Row], run_folder: Path) -> None:
    """Write one row per epoch as CSV; a missing value is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(run_folder / HISTORY, text.getvalue())


def save_best_weights(model: keras.Model, run_folder: Path) -> None:
    """Write the weights whole or not at all; older ones are replaced.

    Keras writes in place: a crash or a full disk would leave neither the old
    weights nor the new ones. After a failed write the HDF5 library is in a state
    in which its next write may crash the process, so the space is tried out
    first.

    Args:
        model: Its weights, and those of its optimizer, are written.
        run_folder: The file is `BEST_WEIGHTS` there.

    Raises:
        OSError: When there is no space, or no permission.
    """
    variables = [*model.variables, *model.optimizer.variables]
    size = sum(_HDF5_BYTES_PER_VARIABLE + v.numpy().nbytes for v in variables)
    with whole_file(run_folder / BEST_WEIGHTS) as temporary:
        _try_space(temporary, size)
        model.save_weights(temporary)


def _try_space(path: Path, size: int) -> None:
    """Write that many bytes, which are about to be overwritten."""
    with path.open("wb") as file:
        for start in range(0, size, _CHUNK_BYTES):
            file.write(bytes(min(_CHUNK_BYTES, size - start)))
