"""What an analysis reads and writes, and how its work is shared out."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from defectkeras.core.errors import DefectKerasError
from defectkeras.micrographs.find import find_micrographs
from defectkeras.registry.engines.runtimes import engine_packages
from defectkeras.registry.store import ModelRegistry
from defectkeras.reporting.results import RunFacts
from defectkeras.workflows.analysis.file import FileTask
from defectkeras.workflows.analysis.remote_classes import require_one_view
from defectkeras.workflows.analysis.result_folder import (
    notes_of_unclaimed,
    require_same_origin,
    result_folders,
)
from defectkeras.workflows.analyze_settings import AnalyzeSettings
from defectkeras.workflows.measure import model_facts, run_facts
from defectkeras.workflows.method import MethodChoice, load_method


@dataclass(frozen=True)
class BatchSettings:
    """How the work on many micrographs is done; no result depends on it.

    Attributes:
        overwrite: Whether older results give way; else the same ones are kept.
        fail_fast: Whether the first file that fails ends the run.
        workers: Processes on this machine; None takes as many as it bears.
        scheduler: Address of a Dask scheduler that has workers, or None.
        shard: (i, n) does only part i of n, from 1, and writes nothing over all;
            None does everything.

    Raises:
        DefectKerasError: When a number is out of range.
    """

    overwrite: bool = False
    fail_fast: bool = False
    workers: int | None = 1
    scheduler: str | None = None
    shard: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.workers is not None and self.workers < 1:
            raise DefectKerasError(
                f"--workers must be 1 or more. Received: {self.workers}."
            )
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            raise DefectKerasError(
                "--shard must be I/N with I from 1 to N. Received: "
                f"{self.shard[0]}/{self.shard[1]}."
            )

    @property
    def failures_name(self) -> str:
        """Name of the file of failures; shards do not write over each other."""
        part = "" if self.shard is None else f"-{self.shard[0]}-of-{self.shard[1]}"
        return f"failures{part}.jsonl"


@dataclass(frozen=True)
class AnalysisPlan:
    """What would be read and written.

    Attributes:
        run: What all micrographs share.
        tasks: One for each micrograph.
        notes: What to know of older results.
    """

    run: RunFacts
    tasks: tuple[FileTask, ...]
    notes: tuple[str, ...] = ()


def plan_analysis(
    paths: Sequence[Path | str],
    model: str | MethodChoice,
    output: Path,
    *,
    settings: AnalyzeSettings,
    registry_root: Path | None = None,
    batch: BatchSettings,
    command: str = "",
) -> AnalysisPlan:
    """Find the micrographs and the model, and check that nothing is in the way.

    The arguments and the errors are those of `analyze`.
    """
    files = find_micrographs([Path(p) for p in paths])
    names = result_folders(files)  # of all, so that each shard gives the same names
    if isinstance(model, MethodChoice):
        loaded = load_method(model)
        method, facts, augment = model, loaded.facts, False
        scheme = loaded.scheme
        engine: tuple[str, ...] = ()
    else:
        version = ModelRegistry(registry_root).resolve(model)
        method, facts, augment = None, model_facts(version), version.card.augment
        scheme = version.card.scheme
        engine = engine_packages(settings.segment.runtime)
    settings.quantify.require_classes(scheme)
    if settings.segment.augment is None:  # so that the results tell what was done
        chosen = dataclasses.replace(settings.segment, augment=augment)
        settings = dataclasses.replace(settings, segment=chosen)
    require_one_view(settings.segment)
    run = run_facts(
        model=facts,
        settings=_settings_of(settings, method),
        command=command,
        engine=engine,
    )
    first, step = (
        (0, 1) if batch.shard is None else (batch.shard[0] - 1, batch.shard[1])
    )
    tasks = tuple(
        FileTask(
            file,
            output / names[file],
            settings,
            run,
            registry_root,
            batch.overwrite,
            method,
        )
        for file in files[first::step]
    )
    if not batch.overwrite:
        for task in tasks:
            if task.folder.exists():
                require_same_origin(task.folder, run)
    return AnalysisPlan(run, tasks, notes_of_unclaimed(output, names.values()))


def _settings_of(
    settings: AnalyzeSettings, method: MethodChoice | None
) -> dict[str, Any]:
    """Give everything that was set; a method belongs to it where there is one."""
    chosen = {} if method is None else {"method": dataclasses.asdict(method)}
    return dataclasses.asdict(settings) | chosen
