"""From micrographs to measured defects: read, segment, measure, write."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.files import sha256_of_file
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.micrographs.read import find_micrographs, read_micrograph
from defectkeras.quantification.field_set import fit_pooled_sizes, summarize_fields
from defectkeras.quantification.results import Quantity
from defectkeras.quantification.settings import QuantifySettings
from defectkeras.registry.store import ModelRegistry, ModelVersion
from defectkeras.reporting.dictionary import data_dictionary
from defectkeras.reporting.page import write_page
from defectkeras.reporting.results import FailedFile, MicrographReport, RunFacts
from defectkeras.reporting.tables import write_parquet, write_table
from defectkeras.workflows.measure import (
    DICTIONARY,
    CalibrationErrors,
    Segmented,
    measure_into_folder,
    run_facts,
)
from defectkeras.workflows.segment import (
    Segmenter,
    SegmentSettings,
    load_segmenter,
    segment,
)

PAGE = "report.html"
QUANTITIES = "quantities.csv"
FIELDS = "fields.csv"
FITS = "fits.csv"


@dataclass(frozen=True)
class AnalyzeSettings:
    """How micrographs are analyzed.

    Attributes:
        segment: How they are segmented.
        pixel_size_nm: In place of the files' own, or None.
        foil_thickness_nm: In place of the files' own, or None.
        frame: Which frame of a stack, from 0, or None.
        errors: What is known of the errors of pixel size and thickness.
        quantify: How they are measured.

    Raises:
        CalibrationError: When a size is not a finite number above 0.
    """

    segment: SegmentSettings = dataclasses.field(default_factory=SegmentSettings)
    pixel_size_nm: float | None = None
    foil_thickness_nm: float | None = None
    frame: int | None = None
    errors: CalibrationErrors = dataclasses.field(default_factory=CalibrationErrors)
    quantify: QuantifySettings = dataclasses.field(default_factory=QuantifySettings)

    def __post_init__(self) -> None:
        """Check what would fail for each file alike."""
        Calibration(self.pixel_size_nm, self.foil_thickness_nm)


@dataclass(frozen=True)
class AnalysisPlan:
    """What would be read and written.

    Attributes:
        version: The model version.
        folders: Each micrograph, and the folder of its results.
    """

    version: ModelVersion
    folders: Mapping[Path, Path]


@dataclass(frozen=True, eq=False)
class Analysis:
    """What came of some micrographs.

    Attributes:
        reports: One for each micrograph that was analyzed.
        failed: Those that could not be, and why.
        page: The HTML page over all.
    """

    reports: tuple[MicrographReport, ...]
    failed: tuple[FailedFile, ...]
    page: Path

    def quantities(self) -> pd.DataFrame:
        """Give all quantities, one row per micrograph, class and quantity."""
        return pd.DataFrame(
            [
                {"micrograph": report.name, **_flat(quantity)}
                for report in self.reports
                for quantity in report.quantification.quantities
            ]
        )

    def fields(self) -> pd.DataFrame:
        """Give the statistics over the micrographs as fields of one specimen."""
        return summarize_fields([report.quantification for report in self.reports])

    def size_fits(self) -> pd.DataFrame:
        """Give the size distributions fitted to the objects of all micrographs."""
        return fit_pooled_sizes([report.quantification for report in self.reports])


def _flat(quantity: Quantity) -> dict[str, Any]:
    """Give a quantity with a column for each part of its error bar."""
    entry = quantity.to_dict()
    parts = entry.pop("parts")
    names = ("counting", "thickness", "pixel_size", "model")
    return entry | {f"sigma_{name}": parts.get(name) for name in names}


def result_folders(paths: Sequence[Path]) -> dict[Path, str]:
    """Give each micrograph a folder name; the stem, or more where stems are equal.

    Args:
        paths: Files, each once.

    Example:
        >>> names = result_folders([Path("a/x.tif"), Path("a/x.png"), Path("b/y.tif")])
        >>> list(names.values())
        ['x.tif', 'x.png', 'y']
    """
    forms: tuple[Callable[[Path], str], ...] = (
        lambda p: p.stem,
        lambda p: p.name,
        lambda p: "_".join(p.parts[-2:]),
        lambda p: "_".join(p.absolute().parts[1:]),
    )
    chosen: dict[Path, str] = {}
    for form in forms:
        counts = Counter([*chosen.values(), *(form(p) for p in paths)])
        rest = [p for p in paths if p not in chosen]
        chosen |= {p: form(p) for p in rest if counts[form(p)] == 1}
    return {path: chosen[path] for path in paths}


def analyze(
    paths: Sequence[Path | str],
    model: str,
    *,
    output_folder: Path | str,
    settings: AnalyzeSettings | None = None,
    registry_root: Path | None = None,
    overwrite: bool = False,
    command: str = "",
    on_progress: Callable[[int, int], None] | None = None,
) -> Analysis:
    """Segment and measure micrographs and write everything that shows it.

    A file that cannot be analyzed is told in the result, and the rest goes on.

    Args:
        paths: Files and folders of micrographs.
        model: "name", "name@3" or "name@alias" in the registry.
        output_folder: For a folder per micrograph (overlay.png, class_map.png,
            tables, summary.json), quantities.csv, fields.csv, fits.csv and
            report.html.
        settings: How; None takes the defaults.
        registry_root: Folder of the registry; None takes the default.
        overwrite: Whether older results give way.
        command: What was typed, for the report.
        on_progress: Called with the number of micrographs done and of all.

    Raises:
        MicrographError: When no micrograph is found.
        RegistryError: When there is no such model version or it is damaged.
        DefectKerasError: When there are older results and `overwrite` is false.
    """
    settings = settings or AnalyzeSettings()
    output = Path(output_folder)
    folders = plan_analysis(paths, model, output, registry_root, overwrite).folders
    segmenter = load_segmenter(model, registry_root, runtime=settings.segment.runtime)
    run = run_facts(
        model=segmenter.version,
        settings=dataclasses.asdict(settings),
        command=command,
    )
    reports: list[MicrographReport] = []
    failed: list[FailedFile] = []
    for number, (path, folder) in enumerate(folders.items()):
        try:
            segmented = segment_file(path, segmenter, settings, name=folder.name)
            reports.append(
                measure_into_folder(
                    segmented,
                    run,
                    folder,
                    settings=settings.quantify,
                    replace=overwrite,
                )
            )
        except DefectKerasError as error:
            failed.append(FailedFile(str(path), str(error)))
        if on_progress is not None:
            on_progress(number + 1, len(folders))
    return _write_overview(output, run, reports, failed)


def plan_analysis(
    paths: Sequence[Path | str],
    model: str,
    output: Path,
    registry_root: Path | None = None,
    overwrite: bool = False,
) -> AnalysisPlan:
    """Find the micrographs and the model, and check that nothing is in the way.

    The arguments and the errors are those of `analyze`.
    """
    files = find_micrographs([Path(p) for p in paths])
    folders = {f: output / name for f, name in result_folders(files).items()}
    if not overwrite:
        require_no_results(folders.values())
    return AnalysisPlan(ModelRegistry(registry_root).resolve(model), folders)


def segment_file(
    path: Path, segmenter: Segmenter, settings: AnalyzeSettings, *, name: str
) -> Segmented:
    """Read a micrograph and segment it.

    Args:
        path: The file.
        segmenter: A loaded model version.
        settings: How.
        name: Of the micrograph in tables and pages; stems may be equal.

    Raises:
        DefectKerasError: When the file cannot be read or segmented.
    """
    read = read_micrograph(
        path,
        pixel_size_nm=settings.pixel_size_nm,
        foil_thickness_nm=settings.foil_thickness_nm,
        frame=settings.frame,
    )
    micrograph = dataclasses.replace(
        read, name=name, calibration=settings.errors.of(read.calibration)
    )
    segmentation = segment(segmenter, micrograph, settings.segment)
    return Segmented(
        micrograph=micrograph,
        image=normalize_percentile(micrograph.pixels),
        class_map=segmentation.class_map,
        scheme=segmenter.card.scheme,
        sha256=sha256_of_file(path),
        warnings=segmentation.warnings,
        probability_map=segmentation.prediction.probability_map,
        uncertainty=segmentation.prediction.uncertainty,
    )


def require_no_results(folders: Iterable[Path]) -> None:
    """Check that no result is there that would be written over.

    Raises:
        DefectKerasError: When there is one.
    """
    older = [str(folder) for folder in folders if folder.exists()]
    if older:
        raise DefectKerasError(
            f"There are results already: {', '.join(older[:3])}"
            f"{' and more' if len(older) > 3 else ''}. Give another --out, or "
            "--overwrite to replace them."
        )


def _write_overview(
    output: Path,
    run: RunFacts,
    reports: Sequence[MicrographReport],
    failed: Sequence[FailedFile],
) -> Analysis:
    analysis = Analysis(tuple(reports), tuple(failed), output / PAGE)
    write_page(run, reports, analysis.page, failed=failed)
    tables = {
        QUANTITIES: analysis.quantities(),
        FIELDS: analysis.fields(),
        FITS: analysis.size_fits(),
    }
    for name, table in tables.items():
        write_table(table, output / name)
        write_parquet(table, (output / name).with_suffix(".parquet"))
    write_table(data_dictionary(tables), output / DICTIONARY)
    return analysis
