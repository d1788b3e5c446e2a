"""From micrographs to measured defects: read, segment, measure, write."""

import contextlib
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from defectkeras.core.errors import StoppedError
from defectkeras.core.files import write_whole
from defectkeras.core.plurals import counted
from defectkeras.quantification.field_set import (
    fit_pooled_sizes,
    notes_of_areas,
    summarize_fields,
)
from defectkeras.reporting.dictionary import data_dictionary
from defectkeras.reporting.page import MAX_SHOWN, write_page
from defectkeras.reporting.quantity_table import quantity_table
from defectkeras.reporting.results import FailedFile, MicrographReport, RunFacts
from defectkeras.reporting.tables import (
    collect_parquet,
    write_csv_of_parquet,
    write_parquet,
    write_table,
)
from defectkeras.reporting.workbook import write_workbook
from defectkeras.workflows.analysis.file import FileOutcome, FileTask, analyze_file
from defectkeras.workflows.analysis.plan import (
    AnalysisPlan,
    BatchSettings,
    plan_analysis,
)
from defectkeras.workflows.analysis.result_folder import held_output, read_report
from defectkeras.workflows.analysis.workers import (
    choose_workers,
    map_in_processes,
    map_on_cluster,
)
from defectkeras.workflows.analyze_settings import AnalyzeSettings
from defectkeras.workflows.measure import DICTIONARY
from defectkeras.workflows.method import MethodChoice

PAGE = "report.html"
QUANTITIES = "quantities.csv"
FIELDS = "fields.csv"
FITS = "fits.csv"
WORKBOOK = "tables.xlsx"
COLLECTED = ("objects", "lines")
"""Tables of the micrographs that are put together over all."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """What came of some micrographs.

    Attributes:
        reports: One for each micrograph that has results, in the order of the files.
        failed: Those that could not be analyzed, and why.
        page: The HTML page over all; None for a shard.
        kept: How many results were there already.
        untried: How many files were left since another one failed.
        notes: What to know of the results together.
    """

    reports: tuple[MicrographReport, ...]
    failed: tuple[FailedFile, ...]
    page: Path | None
    kept: int = 0
    untried: int = 0
    notes: tuple[str, ...] = ()

    def quantities(self) -> pd.DataFrame:
        """Give all quantities, one row per micrograph, class and quantity."""
        return quantity_table({r.name: r.quantification for r in self.reports})

    def fields(self) -> pd.DataFrame:
        """Give the statistics over the micrographs as fields of one specimen."""
        return summarize_fields([report.quantification for report in self.reports])

    def size_fits(self) -> pd.DataFrame:
        """Give the size distributions fitted to the objects of all micrographs."""
        return fit_pooled_sizes([report.quantification for report in self.reports])


def analyze(
    paths: Sequence[Path | str],
    model: str | MethodChoice,
    *,
    output_folder: Path | str,
    settings: AnalyzeSettings | None = None,
    registry_root: Path | None = None,
    batch: BatchSettings | None = None,
    command: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> Analysis:
    """Segment and measure micrographs and write everything that shows it.

    A file that cannot be analyzed is told in the result, and the rest goes on. What
    is there already of the same micrograph, model and settings is kept, so that a run
    that was stopped goes on where it was. The tables and the page over all are made
    of the folders in the order of the files, whoever made them and when.

    Args:
        paths: Files and folders of micrographs.
        model: "name", "name@3" or "name@alias" in the registry, or a method without a
            network.
        output_folder: For a folder per micrograph (overlay.png, class_map.png,
            tables, summary.json), and over all objects.csv, lines.csv,
            quantities.csv, fields.csv, fits.csv, tables.xlsx, failures.jsonl and
            report.html.
        settings: How; None takes the defaults.
        registry_root: Folder of the registry; None takes the default.
        batch: How the work is done; None keeps older results and does it all here.
        command: What was typed, for the report.
        on_progress: Called with the number of micrographs done and of all.

    Raises:
        MicrographError: When no micrograph is found.
        RegistryError: When there is no such model version or it is damaged.
        ModelError: When there is no such method, or no forest in its file.
        DefectKerasError: When there are results of another model or other settings,
            another run is at work there while results are replaced, a worker was
            killed, or the scheduler does not answer.
        StoppedError: At Ctrl-C or SIGTERM while files are analyzed; the results that
            are there are whole.
    """
    batch = batch or BatchSettings()
    output = Path(output_folder)
    plan = plan_analysis(
        paths,
        model,
        output,
        settings=settings or AnalyzeSettings(),
        registry_root=registry_root,
        batch=batch,
        command=command,
    )
    # Shards that overwrite are of different micrographs, and share.
    alone = batch.overwrite and batch.shard is None
    with held_output(output, alone=alone):
        analysis = _analyze_all(plan, output, batch, on_progress)
        write_whole(output / batch.failures_name, _json_lines(analysis.failed))
        if analysis.page is not None:
            _write_overview(analysis, plan.run, output)
    return analysis


def _analyze_all(
    plan: AnalysisPlan,
    output: Path,
    batch: BatchSettings,
    on_progress: Callable[[int, int], None] | None,
) -> Analysis:
    """Do all tasks of a plan, and read back what came of them."""
    found: dict[Path, FileOutcome] = {}
    try:
        with contextlib.closing(_outcomes(plan.tasks, batch)) as outcomes:
            for outcome in outcomes:
                found[outcome.folder] = outcome
                if on_progress is not None:
                    on_progress(len(found), len(plan.tasks))
                if batch.fail_fast and outcome.state == "failed":
                    break
    except KeyboardInterrupt as error:
        without = ", without --overwrite," if batch.overwrite else ""
        count = counted(len(plan.tasks), "micrograph")
        raise StoppedError(
            f"Stopped after {len(found)} of {count}. Run the "
            f"same command again{without} to go on."
        ) from error
    in_order = [found[task.folder] for task in plan.tasks if task.folder in found]
    return _collect(plan, in_order, None if batch.shard else output / PAGE)


def _outcomes(
    tasks: Sequence[FileTask], batch: BatchSettings
) -> Generator[FileOutcome]:
    """Do the tasks; give what came of them, in no particular order."""
    if batch.scheduler is not None:
        yield from map_on_cluster(analyze_file, tasks, batch.scheduler)
    else:
        workers = batch.workers or choose_workers(len(tasks))
        yield from map_in_processes(analyze_file, tasks, workers)


def _collect(
    plan: AnalysisPlan, outcomes: Sequence[FileOutcome], page: Path | None
) -> Analysis:
    """Read back the results, of the micrographs that the page shows with pictures."""
    done = [o.folder for o in outcomes if o.state != "failed"]
    reports = tuple(
        read_report(folder, with_pictures=number < MAX_SHOWN)
        for number, folder in enumerate(done)
    )
    return Analysis(
        reports=reports,
        failed=tuple(
            FailedFile(str(o.path), o.reason) for o in outcomes if o.state == "failed"
        ),
        page=page,
        kept=sum(o.state == "kept" for o in outcomes),
        untried=len(plan.tasks) - len(outcomes),
        notes=plan.notes + notes_of_areas([r.quantification for r in reports]),
    )


def _write_overview(analysis: Analysis, run: RunFacts, output: Path) -> None:
    """Write the page and the tables over all micrographs."""
    tables = {
        QUANTITIES: analysis.quantities(),
        FIELDS: analysis.fields(),
        FITS: analysis.size_fits(),
    }
    for name, table in tables.items():
        write_table(table, output / name)
        write_parquet(table, (output / name).with_suffix(".parquet"))
    for name in COLLECTED:
        file = f"{name}.parquet"
        parts = {r.name: output / r.name / file for r in analysis.reports}
        columns = collect_parquet(parts, output / file)
        write_csv_of_parquet(output / file, output / f"{name}.csv")
        tables[f"{name}.csv"] = pd.DataFrame(columns=columns)
    dictionary = data_dictionary(tables)
    write_table(dictionary, output / DICTIONARY)
    files = [(output / name).with_suffix(".parquet") for name in tables]
    write_workbook(files, dictionary, output / WORKBOOK)
    write_page(
        run,
        analysis.reports,
        output / PAGE,
        failed=analysis.failed,
        notes=analysis.notes,
        tables=[n for n in (WORKBOOK, *tables) if (output / n).exists()],
    )


def _json_lines(failed: Sequence[FailedFile]) -> bytes:
    """Give a line for each file; only what is no text, in a file name, is escaped."""
    entries = ({"path": f.name, "reason": f.reason} for f in failed)
    lines = "".join(f"{json.dumps(e, ensure_ascii=False)}\n" for e in entries)
    return lines.encode(errors="backslashreplace")
