"""Cross-validation of candidates on equal terms, in a folder that goes on."""

import dataclasses
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from defectkeras.classical.tiles import Polarity
from defectkeras.core.errors import DatasetError, TrainingError
from defectkeras.core.files import write_json
from defectkeras.datasets.fingerprint import fingerprint_examples
from defectkeras.datasets.folds import spec_of_fold
from defectkeras.datasets.spec import DatasetSpec
from defectkeras.training.interruption import resume_command
from defectkeras.workflows.benchmark.candidates import Candidate
from defectkeras.workflows.benchmark.fold import run_fold
from defectkeras.workflows.benchmark.scores import Row

if TYPE_CHECKING:
    from defectkeras.training.config import TrainingConfig

PROTOCOL = "protocol.json"
FOLDS = "folds"
WARMUP = 0.1
"""Part of the steps over which the learning rate rises."""

OnFold = Callable[[int, int, Row], None]
"""Called with the folds done, those of all, and the row of the last one."""


@dataclass(frozen=True)
class Protocol:
    """What is equal for all candidates.

    Attributes:
        folds: Into how many parts the micrographs are shared out, by specimen.
        steps: Of a training.
        polarity: Of the defects, for methods without a network.
        tolerance_px: How far a boundary may be off.
    """

    folds: int = 3
    steps: int = 300
    polarity: Polarity = "dark"
    tolerance_px: float = 2.0

    def budget(self, config: "TrainingConfig") -> "TrainingConfig":
        """Turn the settings of a training into those of all trainings here.

        One epoch of all steps, so that no weights are chosen by a validation.
        """
        return dataclasses.replace(
            config,
            epochs=1,
            steps_per_epoch=self.steps,
            warmup_epochs=WARMUP,
            frozen_epochs=0,
            tune_thresholds=False,
        )


def benchmark_candidates(
    spec: DatasetSpec,
    candidates: Sequence[Candidate],
    protocol: Protocol,
    config: "TrainingConfig",
    folder: Path,
    *,
    on_fold: OnFold | None = None,
) -> list[Row]:
    """Train and judge each candidate on each fold; what is there is not done again.

    All candidates have their turn on the first fold before the second begins.

    Args:
        spec: The splits "train" and "val" are shared out; "test" is not touched.
        candidates: What is compared.
        protocol: On which terms.
        config: The settings of the trainings; the seed of fold k is theirs plus k.
        folder: For folds/<candidate>-<fold>.json and protocol.json.
        on_fold: Called after each fold of a candidate.

    Returns:
        One row for each fold of what is computed: candidates that are alike, whatever
        their groups, share theirs.

    Raises:
        DatasetError: When the folder holds results of other terms, or there are
            fewer specimens than folds.
        ModelError: When a network cannot be built.
        TrainingError: When a training cannot start, go on or end well.
    """
    budget = protocol.budget(config)
    _require_same_terms(folder, spec, protocol, budget)
    turns = [(f, c) for f in range(protocol.folds) for c in candidates]
    rows: dict[Path, Row] = {}
    for done, (fold, candidate) in enumerate(turns, start=1):
        path = folder / FOLDS / f"{candidate.key}-{fold + 1}.json"
        if not path.exists():
            held_out = spec_of_fold(spec, protocol.folds, fold, seed=budget.seed)
            own = dataclasses.replace(budget, seed=budget.seed + fold)
            row = _run(candidate, held_out, own, protocol, folder)
            write_json(path, {"key": candidate.key, "fold": fold + 1, **row})
        rows[path] = _read(path)
        if on_fold is not None:
            on_fold(done, len(turns), rows[path])
    return list(rows.values())


def _run(
    candidate: Candidate,
    spec: DatasetSpec,
    config: "TrainingConfig",
    protocol: Protocol,
    folder: Path,
) -> Row:
    """Run a fold, its training in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=folder) as name:
        run_folder = Path(name) / "run"
        try:
            return run_fold(
                candidate,
                spec,
                config,
                run_folder=run_folder,
                polarity=protocol.polarity,
                tolerance_px=protocol.tolerance_px,
            )
        except TrainingError as error:  # it is the same command that goes on
            resume = resume_command(run_folder)
            text = str(error).replace(resume, "the same command")
            told = f"{candidate.name}: {text}"
            raise type(error)(told) from (error.__cause__ or error)


def _require_same_terms(
    folder: Path, spec: DatasetSpec, protocol: Protocol, budget: "TrainingConfig"
) -> None:
    """Write the terms down, or compare them with those that are there."""
    settings = dataclasses.asdict(budget)
    del settings["loss"]  # it is the candidates'
    terms = {
        "dataset": spec.name,
        "fingerprint": fingerprint_examples(spec.examples),
        **dataclasses.asdict(protocol),
        "settings": settings,
    }
    terms = json.loads(json.dumps(terms))
    path = folder / PROTOCOL
    if not path.exists():
        write_json(path, terms)
        return
    flat = [{**t, **t.get("settings", {})} for t in (_read(path), terms)]
    names = {n for n in flat[0] | flat[1] if n != "settings"}
    other = sorted(n for n in names if flat[0].get(n) != flat[1].get(n))
    if other:
        raise DatasetError(
            f"{folder} must hold results of the same terms to go on with. Other are: "
            f"{', '.join(other)}. Name another folder by --out, or remove this one."
        )


def _read(path: Path) -> Row:
    """Read a file that a benchmark has written."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(
            f"{path} must be JSON as it was written. Received: {error}. Remove it, and "
            "run the same command again."
        ) from error
    if not isinstance(found, dict):
        raise DatasetError(f"{path} must hold a table. Received: {found!r}. Remove it.")
    return found
