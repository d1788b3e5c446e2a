"""Annotations of any format into that of another tool, and back."""

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from defectkeras.core.errors import DefectKerasError
from defectkeras.core.file_names import name_of_file
from defectkeras.core.files import require_free
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.annotations.coco import write_coco
from defectkeras.micrographs.annotations.rasterize import draw_maps, rasterize
from defectkeras.micrographs.annotations.read import Hints, holds_shapes, read_drawing
from defectkeras.micrographs.annotations.shapes import Drawing
from defectkeras.micrographs.annotations.write import (
    SUFFIXES,
    Target,
    write_annotation,
)
from defectkeras.micrographs.find import find_micrographs
from defectkeras.micrographs.read import read_micrograph
from defectkeras.workflows.annotated import (
    AnnotatedField,
    find_fields,
    hints_of_field,
    read_field,
    scheme_of_fields,
)
from defectkeras.workflows.stale_results import stale_results

COCO_FILE = "annotations.json"
_MOST_NAMED = 3


@dataclass(frozen=True)
class ConversionRequest:
    """What is converted, and what is known about it.

    Attributes:
        source: A file or folder of annotations, or a results folder of `analyze`.
        output_folder: For one file for each micrograph, or one of COCO for all.
        target: The tool.
        hints: What the annotations do not tell.
        classes: Names of the classes in the order of the index.
        micrographs: Files and folders, for sizes, file names and pixel sizes.
        pixel_size_nm: In place of the micrographs' own.
    """

    source: Path
    output_folder: Path
    target: Target
    hints: Hints = dataclasses.field(default_factory=Hints)
    classes: tuple[str, ...] = ()
    micrographs: tuple[Path, ...] = ()
    pixel_size_nm: float | None = None


@dataclass(frozen=True)
class Converted:
    """One micrograph, converted.

    Attributes:
        name: Of the micrograph.
        path: What is written, or would be.
        objects: Number of objects of each class.
        classes: Each "name:kind", in the order of the index.
        drawn_lengths_px: Class to the length of its lines as they were drawn.
        overlapping: Number of objects of which later ones hide a part.
        hidden: Number of objects of which no pixel is left.
        stale: Why it may not be of its micrograph, or None.
    """

    name: str
    path: Path
    objects: Mapping[str, int]
    classes: tuple[str, ...]
    drawn_lengths_px: Mapping[str, float]
    overlapping: int
    hidden: int
    stale: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give all of it, ready for JSON."""
        return {**vars(self), "path": str(self.path)}


def convert_annotations(
    request: ConversionRequest,
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Converted, ...]:
    """Convert annotations into the files of a tool.

    Shapes stay as they were drawn where the tool has shapes; maps become outlines.

    Args:
        request: What is converted.
        overwrite: Whether older files give way.
        dry_run: Whether to read everything and write nothing.
        on_progress: Called with the number of micrographs done and of all.

    Raises:
        DefectKerasError: When a file cannot be read, one is there already, or an
            annotation has no micrograph where some are given; nothing is written.
    """
    fields = find_fields(request.source)
    scheme = scheme_of_fields(fields, request.hints, request.classes)
    paths = {field.name: _output_path(field, request) for field in fields}
    for path in paths.values():
        require_free(path, overwrite=overwrite or dry_run)
    files = micrograph_paths(request.micrographs)
    if files:
        _require_micrographs(fields, files)
    stale = stale_results(fields, files)
    drawings: dict[str, Drawing] = {}
    converted = []
    out = request.output_folder
    with contextlib.nullcontext(out) if dry_run else _all_or_none(out) as folder:
        for number, field in enumerate(fields):
            file = files.get(field.name)
            image_name = _image_name(field, file, request)
            micrograph = None if file is None else _read(file, request)
            target = None if dry_run else folder / paths[field.name].name
            drawing, done = _convert_field(
                field, scheme, request, micrograph, target, image_name=image_name
            )
            drawings[image_name] = drawing
            converted.append(dataclasses.replace(done, stale=stale.get(field.name)))
            if on_progress is not None:
                on_progress(number + 1, len(fields))
        if request.target == "coco" and not dry_run:
            write_coco(drawings, folder / COCO_FILE)
    return tuple(converted)


@contextlib.contextmanager
def _all_or_none(output_folder: Path) -> Iterator[Path]:
    """Give a folder in the output folder whose files move up at the end."""
    output_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=output_folder) as name:
        yield Path(name)
        for file in sorted(Path(name).iterdir()):
            file.replace(output_folder / file.name)


def _require_micrographs(
    fields: Sequence[AnnotatedField], files: Mapping[str, Path]
) -> None:
    """Refuse annotations of micrographs that are not among those given."""
    missing = [field.name for field in fields if field.name not in files]
    if missing:
        shown = ", ".join(map(repr, missing[:_MOST_NAMED]))
        more = f" and {len(missing) - _MOST_NAMED} more" * (len(missing) > _MOST_NAMED)
        raise DefectKerasError(
            "Each annotation must have a micrograph of its name, if any are given. "
            f"Received none for {shown}{more}. Name all micrographs, or none."
        )


def micrograph_paths(paths: Sequence[Path]) -> dict[str, Path]:
    """Give the micrographs of files and folders by their name without suffix.

    Raises:
        DefectKerasError: When two have one name; their pixel sizes may differ.
    """
    found: dict[str, Path] = {}
    for path in find_micrographs(paths) if paths else ():
        other = found.setdefault(name_of_file(path), path)
        if other != path:
            raise DefectKerasError(
                "Micrographs must differ in their names without suffix. Received: "
                f"{other} and {path}. Name the files that are meant."
            )
    return found


def _convert_field(
    field: AnnotatedField,
    scheme: LabelScheme,
    request: ConversionRequest,
    micrograph: Micrograph | None,
    target: Path | None,
    *,
    image_name: str,
) -> tuple[Drawing, Converted]:
    """Convert one annotation; without a target nothing is written."""
    annotation = read_field(field, scheme, request.hints, micrograph)
    class_map, label_map = annotation.class_map, annotation.label_map
    if holds_shapes(field.path):
        hints = hints_of_field(field, request.hints, micrograph)
        drawing = read_drawing(field.path, hints)
    else:
        drawing = draw_maps(class_map, scheme, label_map=label_map)
    if label_map is None:
        label_map = rasterize(drawing, scheme).label_map
    if micrograph is not None:  # people draw on the file, with its data bar
        drawing = dataclasses.replace(drawing, size=micrograph.file_shape)
    if request.target != "coco" and target is not None:
        write_annotation(
            drawing,
            (class_map, label_map),
            target,
            request.target,
            image_name=image_name,
        )
    counts = {
        c.name: len(np.unique(label_map[class_map == c.index])) for c in scheme.defects
    }
    return drawing, Converted(
        name=field.name,
        path=_output_path(field, request),
        objects=counts,
        classes=tuple(f"{c.name}:{c.kind}" for c in scheme.defects),
        drawn_lengths_px=dict(annotation.drawn_lengths_px),
        overlapping=annotation.overlapping,
        hidden=annotation.hidden,
    )


def _image_name(
    field: AnnotatedField, file: Path | None, request: ConversionRequest
) -> str:
    """Give what an annotation calls its micrograph."""
    if file is None:
        return f"{field.name}.png"
    if request.target != "labelme":
        return file.name
    # Labelme opens the image that a file names, seen from the folder of that file.
    path = file.parent.resolve() / file.name
    return Path(os.path.relpath(path, request.output_folder.resolve())).as_posix()


def _output_path(field: AnnotatedField, request: ConversionRequest) -> Path:
    if request.target == "coco":
        return request.output_folder / COCO_FILE
    return request.output_folder / f"{field.name}{SUFFIXES[request.target]}"


def _read(path: Path, request: ConversionRequest) -> Micrograph:
    return read_micrograph(path, pixel_size_nm=request.pixel_size_nm)
