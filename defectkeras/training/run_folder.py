"""The files of a run: what went in, how it went, and the best weights.

::

    <run folder>/
    ├── config.json        the settings
    ├── environment.json   versions and devices
    ├── inputs.json        names and fingerprints of the examples, class counts
    ├── history.csv        one row per epoch
    ├── best.weights.h5    of the epoch with the best mean IoU of the defects
    ├── checkpoint.npz     where the run stands, see `checkpoint.py`
    └── logs/              for TensorBoard
"""

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from defectkeras.core.errors import TrainingError
from defectkeras.core.files import whole_file, write_json, write_whole
from defectkeras.pipelines.store import ImageStore
from defectkeras.training.checkpoint import CHECKPOINT
from defectkeras.training.config import TrainingConfig
from defectkeras.training.environment import describe_environment

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
INPUTS = "inputs.json"
BEST_WEIGHTS = "best.weights.h5"
HISTORY = "history.csv"
LOGS = "logs"

_HDF5_BYTES_PER_VARIABLE = 4096  # about 700 measured
_CHUNK_BYTES = 1 << 20

Row = Mapping[str, float | None]

# What a run may go on with otherwise: how it is computed, or what comes afterwards
_FREE = (
    "tune_thresholds",
    "augment_predictions",
    "refit",
    "strategy",
    "accumulation_steps",
    "checkpoint_minutes",
    "histograms",
    "profile",
)
_SHOWN = 5


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
    require_no_run(run_folder)
    environment = {**describe_environment(), **_describe_model(model)}
    write_json(run_folder / ENVIRONMENT, environment)
    write_json(run_folder / INPUTS, _describe_inputs(stores))
    write_json(run_folder / CONFIG, dataclasses.asdict(config))


def require_same_run(
    run_folder: Path,
    config: TrainingConfig,
    model: keras.Model,
    stores: Mapping[str, ImageStore],
) -> None:
    """Refuse to go on with other settings, another model or other data.

    Settings of how a batch is computed may differ, and those of what is done with the
    trained model.

    Args:
        run_folder: Of the run that is to go on.
        config: The settings now.
        model: The model now.
        stores: Split to its examples now.

    Raises:
        TrainingError: When there is no run, or something differs; it is told.
    """
    now = {
        CONFIG: dataclasses.asdict(config),
        ENVIRONMENT: _describe_model(model),
        INPUTS: _describe_inputs(stores),
    }
    found = []
    for name, table in now.items():
        before = read_run_file(run_folder, name)
        if name == CONFIG:  # a setting that was not there yet was at its default
            before = {**dataclasses.asdict(TrainingConfig()), **before}
        found += [
            f"{name} {line}"
            for line in differences({k: before.get(k) for k in table}, table)
            if line.split(":")[0] not in _FREE
        ]
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise TrainingError(
            f"{run_folder}: a run goes on only with the settings, the model and the "
            f"data it began with. Different: {'; '.join(found[:_SHOWN])}{more}. Undo "
            "this, or start a new run."
        )


def folder_of_fold(run_folder: Path, number: int) -> Path:
    """Give the folder of the run without one of the folds, counted from 0."""
    return run_folder / f"fold_{number + 1}"


def require_no_run(run_folder: Path) -> None:
    """Check that nothing of a run, or of its folds, would be overwritten.

    What has no checkpoint yet cannot go on, and nothing of it is worth keeping.

    Raises:
        TrainingError: When the folder holds a run already.
    """
    folders = (run_folder, folder_of_fold(run_folder, 0))
    if any((folder / CHECKPOINT).exists() for folder in folders):
        raise TrainingError(
            f"{run_folder}: holds a run already, and a run is never overwritten. "
            "Name another folder, or resume it."
        )


def read_run_file(run_folder: Path, name: str) -> Any:
    """Read one of the JSON files of a run.

    Raises:
        TrainingError: When it cannot be read.
    """
    try:
        return json.loads((run_folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        runs = sorted(str(path.parent) for path in run_folder.glob(f"*/{name}"))
        hint = f" Did you mean {' or '.join(runs[-3:])}?" if runs else ""
        raise TrainingError(
            f"{run_folder}: holds no run that can go on: there is no {name} in it."
            f"{hint}"
        ) from error
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{run_folder}: holds no run that can go on. {error}."
        ) from error


def differences(before: Any, now: Any, where: str = "") -> list[str]:
    """Tell where two JSON values differ.

    Example:
        >>> differences({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}})
        ['b.c: 2 before, 3 now']
    """
    now = json.loads(json.dumps(now))  # tuples are lists there
    if before == now:
        return []
    if isinstance(before, dict) and isinstance(now, dict):
        keys = dict.fromkeys([*before, *now])
        pairs = [(str(k), before.get(k), now.get(k)) for k in keys]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(str(k), a, b) for k, (a, b) in enumerate(zip(before, now))]  # noqa: B905
    else:
        texts = (json.dumps(value)[:80] for value in (before, now))
        return ["{}: {} before, {} now".format(where, *texts)]
    return [
        line
        for key, a, b in pairs
        for line in differences(a, b, f"{where}.{key}" if where else key)
    ]


def _describe_model(model: keras.Model) -> dict[str, Any]:
    return {
        "precision": model.dtype_policy.name,
        "model": {"name": model.name, "parameters": model.count_params()},
    }


def _describe_inputs(stores: Mapping[str, ImageStore]) -> dict[str, Any]:
    return {split: _describe(store) for split, store in stores.items()}


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
        model: Its weights are written.
        run_folder: The file is `BEST_WEIGHTS` there.

    Raises:
        OSError: When there is no space, or no permission.
    """
    size = sum(_HDF5_BYTES_PER_VARIABLE + v.numpy().nbytes for v in model.variables)
    with whole_file(run_folder / BEST_WEIGHTS) as temporary:
        _try_space(temporary, size)
        model.save_weights(temporary)


def _try_space(path: Path, size: int) -> None:
    """Write that many bytes, which are about to be overwritten."""
    with path.open("wb") as file:
        for start in range(0, size, _CHUNK_BYTES):
            file.write(bytes(min(_CHUNK_BYTES, size - start)))
