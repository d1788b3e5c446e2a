"""A class map from any tool, measured."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from defectkeras.core.arrays import ClassMap, LabelMap
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.core.files import sha256_of_file
from defectkeras.core.labels import KINDS, DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.names import require_known
from defectkeras.micrographs.annotations import (
    Encoding,
    read_class_map,
    read_label_map,
)
from defectkeras.micrographs.normalize import normalize_percentile
from defectkeras.micrographs.read import read_micrograph
from defectkeras.quantification.quantify import Quantification, QuantifySettings
from defectkeras.reporting.page import write_page
from defectkeras.workflows.measure import (
    CalibrationErrors,
    Segmented,
    measure,
    measure_into_folder,
    run_facts,
)
from defectkeras.workflows.result_folder import require_no_results

MAX_CLASSES = 255
MAX_UNNAMED = 16  # a map of more classes is a micrograph or a label map


@dataclass(frozen=True)
class ClassMapRequest:
    """A class map, and what is known about it.

    Attributes:
        path: PNG or TIFF.
        encoding: "class_index", "binary" or "objects".
        classes: The defect classes in the order of their index, each "name" or
            "name:kind" with kind "region" or "line"; empty names them by number.
        micrograph_path: What the class map belongs to, or None.
        pixel_size_nm: In place of the micrograph's own, or None.
        foil_thickness_nm: In place of the micrograph's own, or None.
        errors: What is known of the errors of pixel size and thickness.
        settings: How it is measured.
    """

    path: Path
    encoding: Encoding = "class_index"
    classes: tuple[str, ...] = ()
    micrograph_path: Path | None = None
    pixel_size_nm: float | None = None
    foil_thickness_nm: float | None = None
    errors: CalibrationErrors = field(default_factory=CalibrationErrors)
    settings: QuantifySettings = field(default_factory=QuantifySettings)


def quantify_class_map(request: ClassMapRequest) -> Quantification:
    """Measure a class map.

    Args:
        request: The class map, and what is known about it.

    Raises:
        MicrographError: When a file cannot be read.
        DatasetError: When the classes do not fit the map.
    """
    return measure(_load(request), request.settings)


def quantify_into_folder(
    request: ClassMapRequest,
    folder: Path,
    *,
    overwrite: bool = False,
    command: str = "",
) -> Quantification:
    """Measure a class map and write tables, pictures and a page.

    Args:
        request: The class map, and what is known about it.
        folder: For a folder named after the micrograph, and report.html.
        overwrite: Whether older results give way.
        command: What was typed, for the report.

    Raises:
        MicrographError: When a file cannot be read.
        DatasetError: When the classes do not fit the map.
        DefectKerasError: When there are older results and `overwrite` is false.
    """
    loaded = _load(request)
    target = folder / loaded.micrograph.name
    if not overwrite:
        require_no_results([target])
    run = run_facts(
        model=None,
        settings={k: str(v) for k, v in dataclasses.asdict(request).items()},
        command=command,
    )
    report = measure_into_folder(
        loaded, run, target, settings=request.settings, replace=overwrite
    )
    write_page(run, [report], folder / "report.html")
    return report.quantification


def scheme_of_names(classes: Sequence[str]) -> LabelScheme:
    """Give the scheme of some defect classes, in the order of their index.

    Args:
        classes: Each "name" (a region) or "name:kind".

    Raises:
        DatasetError: When a kind is unknown or a name is there twice.

    Example:
        >>> scheme = scheme_of_names(["dislocation:line", "void"])
        >>> [(c.index, c.name, c.kind) for c in scheme.defects]
        [(1, 'dislocation', 'line'), (2, 'void', 'region')]
    """
    defects = [_parse_class(index + 1, text) for index, text in enumerate(classes)]
    return LabelScheme((DefectClass(0, "matrix", "matrix"), *defects))


def _parse_class(index: int, text: str) -> DefectClass:
    name, _, kind = text.partition(":")
    require_known(
        kind or "region", KINDS[1:], what=f"kind of class {name!r}", error=DatasetError
    )
    return DefectClass(index, name, "line" if kind == "line" else "region")


def _load(request: ClassMapRequest) -> Segmented:
    class_map = read_class_map(
        request.path, num_classes=MAX_CLASSES, encoding=request.encoding
    )
    micrograph = _micrograph(request, class_map)
    micrograph = dataclasses.replace(
        micrograph, calibration=request.errors.of(micrograph.calibration)
    )
    return Segmented(
        micrograph=micrograph,
        image=normalize_percentile(micrograph.pixels),
        class_map=class_map,
        scheme=_scheme(request, class_map),
        sha256=sha256_of_file(request.micrograph_path or request.path),
        label_map=_label_map(request),
    )


def _scheme(request: ClassMapRequest, class_map: ClassMap) -> LabelScheme:
    highest = int(class_map.max(initial=1))
    if not request.classes and highest > MAX_UNNAMED:
        raise DatasetError(
            f"{request.path}: must be a class map. Received: values up to {highest}, "
            "as in a micrograph or a map of object numbers. Give the class map, or "
            "--encoding objects, or name all classes with --class."
        )
    names = request.classes or tuple(f"class_{i + 1}" for i in range(max(highest, 1)))
    if highest > len(names):
        raise DatasetError(
            f"{request.path}: each class index must have a name. Received: index "
            f"{highest} and {len(names)} names. Name all with --class, in the order "
            "of the index."
        )
    return scheme_of_names(names)


def _label_map(request: ClassMapRequest) -> LabelMap | None:
    return read_label_map(request.path) if request.encoding == "objects" else None


def _micrograph(request: ClassMapRequest, class_map: ClassMap) -> Micrograph:
    """Give the micrograph of the map; a blank one when there is none."""
    if request.micrograph_path is None:
        calibration = Calibration(
            request.pixel_size_nm,
            request.foil_thickness_nm,
            "none" if request.pixel_size_nm is None else "user",
            "none" if request.foil_thickness_nm is None else "user",
        )
        blank = np.zeros(class_map.shape, dtype=np.float32)
        return Micrograph(blank, calibration, request.path.stem)
    micrograph = read_micrograph(
        request.micrograph_path,
        pixel_size_nm=request.pixel_size_nm,
        foil_thickness_nm=request.foil_thickness_nm,
    )
    if micrograph.shape != class_map.shape:
        raise MicrographError(
            f"{request.path}: must have the height and width of its micrograph, "
            f"{micrograph.shape}. Received: {class_map.shape}."
        )
    return micrograph
