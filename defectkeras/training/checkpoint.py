"""Where a run stands, written so that it goes on bit for bit.

One file holds all of it, so that no two files can disagree: every variable of the
model (the state of its random generators too), of the optimizers and of the average
weights, and the numbers of `RunState`. The data order needs no state: it is a pure
function of seed, epoch and step.
"""

import dataclasses
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from defectkeras.core.errors import TrainingError
from defectkeras.core.files import whole_file
from defectkeras.core.strict import from_mapping
from defectkeras.training.loss_scale import LossScale

CHECKPOINT = "checkpoint.npz"
_STATE = "state"

Row = Mapping[str, float | None]
Variables = Mapping[str, Sequence[Any]]


@dataclasses.dataclass(frozen=True)
class RunState:
    """Where a run stands between two steps.

    Attributes:
        epoch: Epochs that are done, their validation too.
        step: Steps that are done in the epoch that follows.
        loss_sum: Of their losses.
        norm_sum: Of the norms of their gradients, where these are finite.
        seconds: That they took.
        best_epoch: Epoch of the best score, from 1, or None.
        best_score: Its score, or None.
        has_stopped_early: Whether the run is at its end before the last epoch.
        loss_scale: Factor on the loss.
        rows: The history, one row per epoch.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    norm_sum: float = 0.0
    seconds: float = 0.0
    best_epoch: int | None = None
    best_score: float | None = None
    has_stopped_early: bool = False
    loss_scale: LossScale = dataclasses.field(default_factory=LossScale)
    rows: tuple[dict[str, Any], ...] = ()


def save_checkpoint(run_folder: Path, state: RunState, variables: Variables) -> None:
    """Write state and variables whole or not at all; the older ones are replaced.

    Args:
        run_folder: The file is `CHECKPOINT` there.
        state: Where the run stands.
        variables: Name to variables, such as "model" to those of the model.

    Raises:
        TrainingError: When a weight is no number; the older file stays.
        OSError: When there is no space, or no permission; the older file stays.
    """
    arrays = {key: variable.numpy() for key, variable in _numbered(variables)}
    for key, array in arrays.items():
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise TrainingError(
                f"The weights must stay finite. They do not ({key}) after epoch "
                f"{state.epoch}, step {state.step}. Lower `learning_rate`."
            )
    text = json.dumps(dataclasses.asdict(state))
    with whole_file(run_folder / CHECKPOINT) as temporary:
        np.savez(temporary, allow_pickle=False, **{_STATE: np.array(text)}, **arrays)


def load_checkpoint(run_folder: Path, variables: Variables) -> RunState:
    """Read state and variables back.

    Args:
        run_folder: Of the run.
        variables: As given to `save_checkpoint`; they get their values.

    Raises:
        TrainingError: When there is no such file, it is damaged, or it is of
            another model.
    """
    path = run_folder / CHECKPOINT
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        table = json.loads(str(arrays.pop(_STATE)))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path}: must hold the state of a run. {error}. Start a new one."
        ) from error
    wanted = dict(_numbered(variables))
    fits = arrays.keys() == wanted.keys() and all(
        arrays[key].shape == tuple(wanted[key].shape) for key in wanted
    )
    if not fits:
        raise TrainingError(
            f"{path}: must hold the {len(wanted)} variables of the model and its "
            f"optimizer. Received: {len(arrays)}, or others. Resume with the settings "
            "that the run was started with."
        )
    for key, variable in wanted.items():
        variable.assign(arrays[key])
    return from_mapping(RunState, table, where=str(path), error=TrainingError)


def _numbered(variables: Variables) -> list[tuple[str, Any]]:
    return [
        (f"{name}/{number}", variable)
        for name, several in variables.items()
        for number, variable in enumerate(several)
    ]
