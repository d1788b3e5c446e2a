"""What is to be trained and where it goes, kept in the run folder to go on from."""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from defectkeras.core.errors import TrainingError
from defectkeras.core.files import write_json
from defectkeras.datasets.form import SPLITS
from defectkeras.datasets.spec import DatasetSpec
from defectkeras.registry.names import require_name

REQUEST = "request.json"
SPLIT = "split.json"
REFIT = "refit"


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
        origins: For `config.json`, where its values come from, by dotted key; those
            that are not told are defaults.
        skip_bad: Whether examples that cannot be used are left out and told; else the
            first one is an error.
        folds: Into how many parts training and validation split are shared out for
            an ensemble, each part validating once; 0 trains one model.
        parent: Reference of the version whose weights it begins with, or None.
        resume: Whether the run folder holds a run that goes on.
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
    origins: Mapping[str, str] = dataclasses.field(default_factory=dict)
    skip_bad: bool = False
    folds: int = 0
    parent: str | None = None
    resume: bool = False

    def chosen_run_folder(self, name: str) -> Path:
        """Give the run folder; without one, a name that tells model and time."""
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        return self.run_folder or Path("runs") / f"{name}-{moment}"


def choose_name(wanted: str | None, of_data: str) -> str:
    """Give the name of a model in the registry.

    Args:
        wanted: As asked for, or None.
        of_data: Name of the data, which it takes then.

    Raises:
        RegistryError: When it cannot be one.
    """
    what = "The name of the model (--name, or else that of the data)"
    return require_name(wanted or of_data, what=what)


_PATHS = ("spec_path", "root", "registry_root")


def write_request(
    request: TrainingRequest, run_folder: Path, spec: DatasetSpec
) -> None:
    """Keep a request in the folder of its run, and the split of its data.

    Args:
        request: Its paths become absolute.
        run_folder: Of the run.
        spec: The data spec of the request, as loaded.

    Raises:
        TrainingError: When it cannot be written, or the folder holds a run already.
    """
    from defectkeras.training.run_folder import require_no_run

    require_no_run(run_folder)
    table = dataclasses.asdict(request)
    for name in _PATHS:
        table[name] = None if table[name] is None else str(table[name].resolve())
    del table["run_folder"], table["resume"]
    try:
        write_json(run_folder / REQUEST, table)
        split = {name: [e.name for e in spec.of_split(name)] for name in SPLITS}
        write_json(run_folder / SPLIT, split)
    except OSError as error:
        raise TrainingError(
            f"{run_folder}: the run could not be written. {error}."
        ) from error


def request_to_resume(run_folder: Path) -> TrainingRequest:
    """Give the request of a run that is to go on.

    Args:
        run_folder: Of the run, or that of its refit, which goes on with it.

    Raises:
        TrainingError: When the folder holds no run.
    """
    from defectkeras.training.run_folder import read_run_file

    if run_folder.name == REFIT and not (run_folder / REQUEST).exists():
        run_folder = run_folder.parent
    table = read_run_file(run_folder, REQUEST)
    for name in _PATHS:
        table[name] = None if table[name] is None else Path(table[name])
    return TrainingRequest(**table, run_folder=run_folder, resume=True)
