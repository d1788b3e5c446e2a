"""A class map from any tool, measured."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from defectkeras.core.arrays import ClassMap
from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.core.file_names import name_of_file
from defectkeras.core.files import require_free, sha256_of_path
from defectkeras.core.labels import LabelScheme, scheme_of_names
from defectkeras.core.micrograph import Micrograph
from defectkeras.core.plurals import counted
from defectkeras.micrographs.annotations import (
    Encoding,
    read_class_map,
    read_label_map,
)
from defectkeras.micrographs.annotations.colors import read_color_map
from defectkeras.micrographs.annotations.read import Annotation, Hints, holds_shapes
from defectkeras.micrographs.read import read_micrograph
from defectkeras.quantification.quantify import Quantification, QuantifySettings
from defectkeras.workflows.annotated import (
    calibration_of_map,
    find_fields,
    read_field,
    scheme_of_fields,
)
from defectkeras.workflows.measure import (
    CalibrationErrors,
    Segmented,
    measure,
    measure_into_folder,
    run_facts,
)
from defectkeras.workflows.measured_before import read_measured, write_shared_page

MAX_CLASSES = 255
MAX_UNNAMED = 16  # a map of more classes is a micrograph or a label map


@dataclass(frozen=True)
class ClassMapRequest:
    """A class map, and what is known about it.

    Attributes:
        path: PNG, TIFF or .npy (numbers), JSON of labelme or COCO, .roi or .zip of
            ImageJ (shapes).
        encoding: "class_index", "class_index_from_1", "binary", "objects" or
            "colors"; of no meaning for shapes.
        classes: The defect classes in the order of their index, each "name" or
            "name:kind" with kind "region" or "line"; empty names numbers by number and
            shapes as the file does.
        object_class: Name of the class that a mask, object numbers or all regions of
            ImageJ show, or None.
        micrograph_path: What the class map belongs to, or None.
        pixel_size_nm: In place of that of the micrograph or of a TIFF, or None.
        foil_thickness_nm: In place of the micrograph's own, or None.
        line_width_px: Width of drawn lines that have none, or None.
        colors: "#rrggbb" of each class, matrix first, for "colors".
        color_tolerance: See `read_color_map`.
        errors: What is known of the errors of pixel size and thickness.
        settings: How it is measured.
    """

    path: Path
    encoding: Encoding = "class_index"
    classes: tuple[str, ...] = ()
    object_class: str | None = None
    micrograph_path: Path | None = None
    pixel_size_nm: float | None = None
    foil_thickness_nm: float | None = None
    line_width_px: float | None = None
    colors: tuple[str, ...] = ()
    color_tolerance: int = 0
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
        folder: For a folder named after the micrograph, and report.html over it and
            those that were measured into it before.
        overwrite: Whether older results give way.
        command: What was typed, for the report.

    Raises:
        MicrographError: When a file cannot be read.
        DatasetError: When the classes do not fit the map.
        DefectKerasError: When there are older results and `overwrite` is false, or
            those of a model in the folder.
    """
    loaded = _load(request)
    target = folder / loaded.micrograph.name
    require_free(target, overwrite=overwrite)
    others = read_measured(folder, target)
    settings = {k: str(v) for k, v in dataclasses.asdict(request).items()}
    run = run_facts(
        model=None,
        settings=settings | {"class_map_sha256": sha256_of_path(request.path)},
        command=command,
    )
    report = measure_into_folder(
        loaded, run, target, settings=request.settings, replace=overwrite
    )
    write_shared_page(run, report, others, folder / "report.html")
    return report.quantification


def _load(request: ClassMapRequest) -> Segmented:
    read = _read_shapes if holds_shapes(request.path) else _read_map
    micrograph, scheme, annotation = read(request)
    micrograph = dataclasses.replace(
        micrograph, calibration=request.errors.of(micrograph.calibration)
    )
    file = request.micrograph_path or request.path
    return Segmented(
        micrograph=micrograph,
        class_map=annotation.class_map,
        scheme=scheme,
        sha256=sha256_of_path(file),
        file=file.name,
        label_map=annotation.label_map,
    )


def _read_map(request: ClassMapRequest) -> tuple[Micrograph, LabelScheme, Annotation]:
    """Read a map of numbers."""
    if request.encoding == "colors":
        named = len(request.classes) or len(request.colors) - 1
        class_map = read_color_map(
            request.path,
            request.colors,
            num_classes=1 + max(named, 1),
            tolerance=request.color_tolerance,
        )
    else:
        class_map = read_class_map(
            request.path,
            num_classes=MAX_CLASSES,
            encoding=request.encoding,
            object_class=_object_class(request),
        )
    label_map = read_label_map(request.path) if request.encoding == "objects" else None
    micrograph = _micrograph(request, class_map.shape)
    annotation = Annotation(class_map, label_map).without_data_bar(micrograph)
    return micrograph, _scheme(request, class_map), annotation


def _read_shapes(
    request: ClassMapRequest,
) -> tuple[Micrograph, LabelScheme, Annotation]:
    """Read shapes of labelme, COCO or ImageJ; they name their classes."""
    micrograph = None
    if request.micrograph_path is not None:
        micrograph = _micrograph(request, None)
    hints = Hints(
        object_class=request.object_class, line_width_px=request.line_width_px
    )
    fields = find_fields(request.path)
    if micrograph is not None:  # COCO must have an image of its name
        fields = (dataclasses.replace(fields[0], name=micrograph.name),)
    if len(fields) > 1:
        raise DatasetError(
            f"{request.path}: must tell which image is meant. Received: shapes of "
            "several. Give the one with --micrograph."
        )
    scheme = scheme_of_fields(fields, hints, request.classes)
    annotation = read_field(fields[0], scheme, hints, micrograph)
    shape = annotation.class_map.shape
    return micrograph or _micrograph(request, shape), scheme, annotation


def _scheme(request: ClassMapRequest, class_map: ClassMap) -> LabelScheme:
    highest = int(class_map.max(initial=1))
    if not _classes(request) and highest > MAX_UNNAMED:
        raise DatasetError(
            f"{request.path}: must be a class map. Received: values up to {highest}, "
            "as in a micrograph or a map of object numbers. Give the class map, or "
            "--encoding objects, or name all classes with --class."
        )
    names = _classes(request) or tuple(f"class_{i + 1}" for i in range(max(highest, 1)))
    if highest > len(names):
        count = counted(len(names), "name")
        raise DatasetError(
            f"{request.path}: each class index must have a name. Received: index "
            f"{highest} and {count}. Name all with --class, in the order "
            "of the index."
        )
    return scheme_of_names(names)


def _classes(request: ClassMapRequest) -> tuple[str, ...]:
    """Give the classes that are named; the only one may be named as that of objects."""
    return request.classes or tuple(filter(None, [request.object_class]))


def _object_class(request: ClassMapRequest) -> int:
    """Give the index of the class that a map of one class shows."""
    if request.object_class is None:
        return 1
    return scheme_of_names(_classes(request)).by_name(request.object_class).index


def _micrograph(request: ClassMapRequest, shape: tuple[int, ...] | None) -> Micrograph:
    """Give the micrograph of a map; a blank one of a shape when there is none."""
    if request.micrograph_path is None:
        calibration = calibration_of_map(
            request.path, request.pixel_size_nm, request.foil_thickness_nm
        )
        blank = np.zeros(shape or (1, 1), dtype=np.float32)
        return Micrograph(blank, calibration, name_of_file(request.path))
    micrograph = read_micrograph(
        request.micrograph_path,
        pixel_size_nm=request.pixel_size_nm,
        foil_thickness_nm=request.foil_thickness_nm,
    )
    if shape not in (None, micrograph.shape, micrograph.file_shape):
        raise MicrographError(
            f"{request.path}: must have the height and width of its micrograph, "
            f"{micrograph.shape}. Received: {shape}."
        )
    return micrograph
