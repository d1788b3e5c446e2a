"""One micrograph analyzed into its folder: the unit of work of every batch."""

import dataclasses
import functools
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from defectkeras.core.errors import (
    DefectKerasError,
    MicrographError,
    RegistryError,
)
from defectkeras.core.file_names import not_text
from defectkeras.core.files import sha256_of_path
from defectkeras.micrographs.montage import is_montage, require_memory
from defectkeras.micrographs.read import errors_that_name, read_micrograph
from defectkeras.reporting.results import RunFacts
from defectkeras.workflows.analysis.montage import montage_into_folder
from defectkeras.workflows.analysis.remote_classes import (
    RemoteClasses,
    load_remote_classes,
    segment_remotely,
)
from defectkeras.workflows.analysis.result_folder import (
    is_calibrated_since,
    require_same_origin,
)
from defectkeras.workflows.analyze_settings import AnalyzeSettings
from defectkeras.workflows.measure import Segmented, measure_into_folder
from defectkeras.workflows.method import (
    Method,
    MethodChoice,
    load_method,
    segment_by_method,
)
from defectkeras.workflows.segment import (
    Segmenter,
    SegmentSettings,
    load_segmenter,
    segment,
)

Engine: TypeAlias = Segmenter | RemoteClasses | Method
"""What segments micrographs."""

_one_at_a_time = threading.Lock()  # a Dask worker may have several threads


@dataclass(frozen=True)
class FileTask:
    """One micrograph to analyze; another process or host can do it.

    Attributes:
        path: The file.
        folder: Of its results; its name is that of the micrograph.
        settings: How.
        run: What all micrographs of the run share; its model is asked.
        registry_root: Folder of the registry; None takes the default.
        overwrite: Whether older results give way.
        method: What is asked in place of a model of the registry, or None.
    """

    path: Path
    folder: Path
    settings: AnalyzeSettings
    run: RunFacts
    registry_root: Path | None = None
    overwrite: bool = False
    method: MethodChoice | None = None


@dataclass(frozen=True)
class FileOutcome:
    """What came of a task.

    Attributes:
        path: The file.
        folder: Of its results.
        state: "kept" when the same results were there already.
        reason: Why it failed, in one line that does not begin with the path.
    """

    path: Path
    folder: Path
    state: Literal["analyzed", "kept", "failed"]
    reason: str = ""


def analyze_file(task: FileTask) -> FileOutcome:
    """Segment and measure a micrograph into its folder, unless that is done.

    To do it twice, or in two processes at once, gives what doing it once gives.
    Results without a pixel size are made again when a text with one has come since.

    Args:
        task: The micrograph.

    Returns:
        Whether there is a folder now, or why not.

    Raises:
        RegistryError: When the model cannot be loaded, or is another than the
            task's.
    """
    with _one_at_a_time:
        try:
            if task.folder.exists() and not task.overwrite:
                kept = _keep(task)
                if not is_calibrated_since(task.folder, task.path):
                    return kept
                task = dataclasses.replace(task, overwrite=True)
        except DefectKerasError as error:
            return _failed(task, error)
        segmenter = _segmenter_for(task)
        try:
            return _analyze(task, segmenter)
        except DefectKerasError as error:
            return _failed(task, error)


def segment_file(
    path: Path, segmenter: Engine, settings: AnalyzeSettings, *, name: str
) -> Segmented:
    """Read a micrograph and segment it.

    Args:
        path: The file.
        segmenter: A loaded model version, one on a server, or another method.
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
    segmented = functools.partial(
        Segmented,
        micrograph=micrograph,
        scheme=segmenter.scheme,
        sha256=sha256_of_path(path),
        file=path.name,
    )
    if isinstance(segmenter, RemoteClasses):
        class_map, warnings = segment_remotely(segmenter, micrograph, settings.segment)
        return segmented(class_map=class_map, warnings=warnings)
    if isinstance(segmenter, Method):
        segmentation = segment_by_method(segmenter, micrograph, settings.segment)
    else:
        segmentation = segment(segmenter, micrograph, settings.segment)
    return segmented(
        class_map=segmentation.class_map,
        warnings=segmentation.warnings,
        probability_map=segmentation.prediction.probability_map,
        uncertainty=segmentation.prediction.uncertainty,
        other_class_maps=segmentation.other_class_maps,
        applicability=segmentation.applicability,
    )


def _analyze(task: FileTask, segmenter: Engine) -> FileOutcome:
    name = task.folder.name
    if reason := not_text(str(task.folder)):
        raise MicrographError(f"{reason} Rename the micrograph.")
    try:
        is_large = is_montage(task.path, task.settings.frame)
        if is_large and isinstance(segmenter, Segmenter):
            montage_into_folder(
                task.path,
                segmenter,
                task.settings,
                task.run,
                task.folder,
                replace=task.overwrite,
            )
            return FileOutcome(task.path, task.folder, "analyzed")
        if is_large:  # a method looks at all of it, a server is sent all of it
            require_memory(task.path, task.settings.frame)
        segmented = segment_file(task.path, segmenter, task.settings, name=name)
        measure_into_folder(
            segmented,
            task.run,
            task.folder,
            settings=task.settings.quantify,
            replace=task.overwrite,
        )
    except FileExistsError:  # another process was faster
        return _keep(task)
    return FileOutcome(task.path, task.folder, "analyzed")


def _failed(task: FileTask, error: DefectKerasError) -> FileOutcome:
    reason = str(error).removeprefix(f"{task.path}: ")
    return FileOutcome(task.path, task.folder, "failed", reason)


def _keep(task: FileTask) -> FileOutcome:
    """Keep older results that are the same, or raise."""
    with errors_that_name(task.path):
        sha256 = sha256_of_path(task.path)
    require_same_origin(task.folder, task.run, sha256=sha256)
    return FileOutcome(task.path, task.folder, "kept")


def _segmenter_for(task: FileTask) -> Engine:
    model = task.run.model
    if model is None:
        raise ValueError("`task.run` must name a model.")
    chosen = task.settings.segment
    segmenter = _load(
        task.method or model.reference,
        model.sha256,
        task.registry_root,
        chosen,
    )
    if segmenter.sha256 != model.sha256:
        raise RegistryError(
            f"{model.reference} must be the same model everywhere. Received: SHA-256 "
            f"{segmenter.sha256} where the work is done, and {model.sha256} "
            "where it is given out. Let both read the same files."
        )
    return segmenter


@functools.lru_cache(maxsize=1)
def _load(
    model: str | MethodChoice,
    sha256: str,
    registry_root: Path | None,
    settings: SegmentSettings,
) -> Engine:
    """Load a model once for all micrographs of a process."""
    if isinstance(model, MethodChoice):
        return load_method(model)
    if settings.classes_only:
        return load_remote_classes(model, registry_root, settings)
    return load_segmenter(
        model,
        registry_root,
        runtime=settings.runtime,
        spread=settings.spread,
        url=settings.url,
    )
