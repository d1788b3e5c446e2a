"""Annotated fields: what lies in a file or folder of annotations, whoever made it.

A folder may hold annotations of any format, or the results of `analyze`. Fields of
two sources belong together when they have the same name, that of the micrograph.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any

from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.core.file_names import composed, name_of_file
from defectkeras.core.labels import DefectClass, LabelScheme, scheme_of_names
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.annotations.coco import (
    image_names as coco_image_names,
)
from defectkeras.micrographs.annotations.read import (
    HOW_TO_EXPORT,
    MAP_SUFFIXES,
    SHAPE_SUFFIXES,
    Annotation,
    Hints,
    holds_shapes,
    image_names,
    parse_json,
    read_annotation,
    read_drawing,
)
from defectkeras.micrographs.checks import require_lossless
from defectkeras.micrographs.read import calibrate, errors_that_name, read_frame

CLASS_MAP = "class_map.png"
SUMMARY = "summary.json"
_SUFFIXES = (*MAP_SUFFIXES, *SHAPE_SUFFIXES)


@dataclass(frozen=True)
class AnnotatedField:
    """An annotation of one micrograph, not yet read.

    Attributes:
        name: Of the micrograph: its file name without suffix, composed.
        path: The annotation.
        scheme: The classes where the results of `analyze` tell them, or None.
        calibration: Likewise.
        model: Reference of the model that made it, or None.
        sha256: Of the file of the micrograph that was analyzed, or None.
    """

    name: str
    path: Path
    scheme: LabelScheme | None = None
    calibration: Calibration = dataclasses.field(default_factory=Calibration)
    model: str | None = None
    sha256: str | None = None


def find_fields(path: Path) -> tuple[AnnotatedField, ...]:
    """Find the annotated fields of a file or folder.

    Args:
        path: An annotation, a folder of them, or a results folder of `analyze`,
            of one micrograph or of all.

    Returns:
        The fields in the order of their names.

    Raises:
        MicrographError: When there is none, a file is no annotation, or two have the
            same name.
    """
    if path.is_dir():
        found = _fields_of_folder(path)
    elif path.exists():
        require_lossless(path)
        if path.suffix.lower() not in _SUFFIXES:
            raise MicrographError(
                f"{path}: must be an annotation ({', '.join(_SUFFIXES)}). Received: "
                f"suffix {path.suffix!r}. {HOW_TO_EXPORT}."
            )
        found = _fields_of_file(path)
    else:
        raise MicrographError(f"{path}: must exist. Received: nothing there.")
    names = [field.name for field in found]
    twice = next((n for n in names if names.count(n) > 1), None)
    if not found or twice is not None:
        what = "none" if not found else f"two named {twice!r}"
        suffixes = ", ".join(_SUFFIXES)
        raise MicrographError(
            f"{path}: must hold one annotation ({suffixes}) for each micrograph. "
            f"Received: {what}."
        )
    return tuple(sorted(found, key=lambda field: field.name))


def scheme_of_fields(
    fields: Sequence[AnnotatedField], hints: Hints, classes: Sequence[str] = ()
) -> LabelScheme:
    """Give the classes of some fields of one source.

    Args:
        fields: Of a source.
        hints: What the files do not tell.
        classes: Each "name" or "name:kind" in the order of the index; they go
            before what shapes tell.

    Returns:
        Those of the results of `analyze`, whose class maps know no others; else the
        classes named; else those of the shapes, by name. The one class of objects or
        of a binary mask may do without a name.

    Raises:
        DatasetError: When the files do not agree.
    """
    told = [field.scheme for field in fields if field.scheme is not None]
    if told and any(scheme != told[0] for scheme in told):
        raise DatasetError(
            f"{fields[0].path.parent}: results in one folder must be of one model."
        )
    if told:
        return told[0]
    if classes:
        return scheme_of_names(classes)
    if holds_shapes(fields[0].path):
        return _scheme_of_shapes(fields, hints)
    if hints.encoding in ("binary", "objects"):
        return scheme_of_names([hints.object_class or "class_1"])
    raise DatasetError(
        f"{fields[0].path}: numbers of classes need names. Give them with --class, in "
        'the order of the index, or say --encoding "objects" or "binary".'
    )


def read_field(
    field: AnnotatedField,
    scheme: LabelScheme,
    hints: Hints,
    micrograph: Micrograph | None = None,
) -> Annotation:
    """Read the annotation of a field.

    Args:
        field: As found.
        scheme: Its classes.
        hints: What the file does not tell.
        micrograph: Whose size the annotation must have, or None.

    Returns:
        Maps (H, W).

    Raises:
        MicrographError: When it cannot be read or the sizes differ.
    """
    hints = hints_of_field(field, hints, micrograph)
    annotation = read_annotation(field.path, scheme, hints)
    if micrograph is None:
        return annotation
    annotation = annotation.without_data_bar(micrograph)
    shape = annotation.class_map.shape
    if shape != micrograph.shape:
        raise MicrographError(
            f"{field.path}: must have the height and width of its micrograph, "
            f"{micrograph.shape}. Received: {shape}."
        )
    return annotation


def hints_of_field(
    field: AnnotatedField, hints: Hints, micrograph: Micrograph | None
) -> Hints:
    """Give the hints with what is known about one field."""
    if field.scheme is not None:
        return Hints()  # the results of `analyze` need none
    if micrograph is not None:
        hints = hints.of(micrograph)
    return replace(hints, image_name=field.name)


def calibration_of_map(
    path: Path,
    pixel_size_nm: float | None = None,
    foil_thickness_nm: float | None = None,
) -> Calibration:
    """Give what the user says, else the scale that the TIFF of a map has kept.

    Args:
        path: An annotation; one of another format tells nothing.
        pixel_size_nm: Of the user, or None.
        foil_thickness_nm: Of the user, or None.

    Raises:
        MicrographError: When the unit of the file is none of length.
    """
    if path.suffix.lower() not in (".tif", ".tiff"):
        return Calibration().with_told(pixel_size_nm, foil_thickness_nm)
    return calibrate(
        path,
        read_frame(path),
        pixel_size_nm=pixel_size_nm,
        foil_thickness_nm=foil_thickness_nm,
    )


def _fields_of_folder(folder: Path) -> list[AnnotatedField]:
    results = [folder, *sorted(p for p in folder.iterdir() if p.is_dir())]
    results = [p for p in results if (p / CLASS_MAP).is_file()]
    results = [p for p in results if (p / SUMMARY).is_file()]
    if results:
        return [_field_of_result(p) for p in results]
    files = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in _SUFFIXES]
    shown = [p for p in files if p.is_file() and not p.name.startswith(".")]
    drawn_on = _images_of_shapes(shown)
    return [
        field
        for p in shown
        if composed(p.name) not in drawn_on
        for field in _fields_of_file(p)
    ]


def _images_of_shapes(files: Sequence[Path]) -> set[str]:
    """Give the names of the images of labelme and COCO, which may lie beside them."""
    named = set()
    for path in files:
        if path.suffix.lower() == ".json":
            with errors_that_name(path):
                content = parse_json(path)
                images = [content.get("imagePath") or ""]
                if isinstance(content.get("images"), list):
                    images += coco_image_names(content)
                named |= {composed(PureWindowsPath(str(i)).name) for i in images}
    return named


def _fields_of_file(path: Path) -> list[AnnotatedField]:
    """Give one field, or one for each image of a file of COCO."""
    names = image_names(path) or (name_of_file(path),)
    return [AnnotatedField(name, path) for name in names]


def _field_of_result(folder: Path) -> AnnotatedField:
    """Give the field of one result of `analyze`."""
    path = folder / SUMMARY
    with errors_that_name(path):
        summary: dict[str, Any] = json.loads(path.read_text())
        classes = tuple(DefectClass(**entry) for entry in summary["classes"])
        model = summary.get("model")
        return AnnotatedField(
            name=composed(
                Path(str(summary["micrograph"])).name
            ),  # it may name a file to write
            path=folder / CLASS_MAP,
            scheme=LabelScheme(classes),
            calibration=Calibration(**summary["calibration"]),
            model=None if model is None else str(model["reference"]),
            sha256=_sha256_of_micrograph(summary),
        )


def _sha256_of_micrograph(summary: dict[str, Any]) -> str | None:
    """Give what a result is of; None where a class map alone was measured."""
    sha256 = summary["sha256"]
    return None if sha256 == summary["settings"].get("class_map_sha256") else sha256


def _scheme_of_shapes(fields: Sequence[AnnotatedField], hints: Hints) -> LabelScheme:
    """Give the classes that are drawn; those drawn as lines only are lines."""
    # Names and kinds need neither a size nor a width.
    blank = replace(hints, size=(1, 1), line_width_px=1.0)
    kinds: dict[str, bool] = {}
    for field in fields:
        drawing = read_drawing(field.path, hints_of_field(field, blank, None))
        for name in drawing.class_names:
            kinds[name] = kinds.get(name, True) and drawing.is_line(name)
    if not kinds:
        raise DatasetError(
            f"{fields[0].path}: no shape is drawn, so the classes must be named. "
            "Give them with --class."
        )
    return scheme_of_names(
        [
            f"{n}:{'line' if is_line else 'region'}"
            for n, is_line in sorted(kinds.items())
        ]
    )
