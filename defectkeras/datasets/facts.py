"""What is in the files of one example, and what is wrong with them."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap
from defectkeras.core.calibration import Calibration
from defectkeras.core.errors import DefectKerasError
from defectkeras.core.files import sha256_of_file
from defectkeras.core.labels import LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.datasets.spec import (
    DatasetSpec,
    Example,
    load_micrograph,
    with_told_calibration,
)
from defectkeras.datasets.swapped import SWAPPED, look_swapped, looks_drawn
from defectkeras.micrographs.annotations import read_label_map
from defectkeras.micrographs.annotations.read import read_annotation
from defectkeras.micrographs.read import read_frame, read_micrograph

Severity = Literal["error", "warning"]

MAX_WORKERS = 8
"""Threads that read files; each holds one micrograph in memory."""

_SIZE_TOLERANCE = 0.01


@dataclass(frozen=True)
class Problem:
    """Something in a set to mend or to know.

    Attributes:
        path: The file that it is in.
        message: What must hold, what came, and what to do; one line.
        severity: "error" (the set cannot be used as it is) or "warning".
    """

    path: Path
    message: str
    severity: Severity = "error"


@dataclass(frozen=True)
class ExampleFacts:
    """What is in the files of one example.

    Attributes:
        example: The example.
        digests: SHA-256 of micrograph and annotation, or None when one of them
            cannot be read.
        pixel_digest: SHA-256 of the micrograph's grey levels, the same for the
            same micrograph in another file format; None when it cannot be read.
        calibration: Of the micrograph, or None when it cannot be read.
        class_counts: Pixels of each class, matrix first, or None when the
            annotation cannot be read.
        problems: What is wrong with the files.
    """

    example: Example
    digests: tuple[str, str] | None
    pixel_digest: str | None
    calibration: Calibration | None
    class_counts: tuple[int, ...] | None
    problems: tuple[Problem, ...]


def gather_facts(spec: DatasetSpec) -> tuple[ExampleFacts, ...]:
    """Read all files of a set; decoding lets other threads run."""
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        return tuple(pool.map(lambda e: _facts_of(e, spec.scheme), spec.examples))


def _facts_of(example: Example, scheme: LabelScheme) -> ExampleFacts:
    problems: list[Problem] = []
    micrograph = _read_micrograph(example, problems)
    class_map = _read_annotation(example, scheme, micrograph, problems)
    problems += _shape_problems(example, micrograph, class_map)
    if _is_swapped(example, micrograph):
        problems = [Problem(example.annotation_path, SWAPPED)]
    return ExampleFacts(
        example=example,
        digests=_digests_of(example),
        pixel_digest=_pixel_digest_of(micrograph),
        calibration=micrograph.calibration if micrograph else None,
        class_counts=_count(class_map, scheme),
        problems=tuple(problems),
    )


def _read_micrograph(example: Example, problems: list[Problem]) -> Micrograph | None:
    """Read the micrograph as training does, and add what is wrong with it."""
    path = example.micrograph_path
    try:
        micrograph = _read_with_own_calibration(example, problems)
    except DefectKerasError as error:
        problems.append(Problem(path, _without_path(error, path)))
        return None
    low, high = float(micrograph.pixels.min()), float(micrograph.pixels.max())
    if low == high:
        message = f"the micrograph has one grey level, {low:g}, and shows nothing."
        problems.append(Problem(path, message, "warning"))
    return micrograph


def _read_with_own_calibration(example: Example, problems: list[Problem]) -> Micrograph:
    """Read the micrograph and compare its pixel size with that of the data spec."""
    try:
        micrograph = read_micrograph(example.micrograph_path)
    except DefectKerasError:  # the data spec may mend what the file has wrong
        return load_micrograph(example)
    own = micrograph.calibration
    of_file, of_spec = own.pixel_size_nm, example.pixel_size_nm
    if of_file and of_spec and abs(of_file / of_spec - 1) > _SIZE_TOLERANCE:
        message = (
            f"the file says {of_file:g} nm per pixel ({own.pixel_size_source}), the "
            f"data spec says {of_spec:g}, which wins. Take `pixel_size_nm` out of "
            f"[[sources]] {example.source_name!r} to use the file's."
        )
        problems.append(Problem(example.micrograph_path, message, "warning"))
    return with_told_calibration(micrograph, example)


def _read_annotation(
    example: Example,
    scheme: LabelScheme,
    micrograph: Micrograph | None,
    problems: list[Problem],
) -> ClassMap | None:
    """Read the annotation and add what is wrong with it."""
    path = example.annotation_path
    if not path.exists():
        problems.append(_missing_partner(example))
        return None
    try:
        hints = example.hints.of(micrograph) if micrograph else example.hints
        annotation = read_annotation(path, scheme, hints)
        if micrograph:
            annotation = annotation.without_data_bar(micrograph)
        class_map = annotation.class_map
    except DefectKerasError as error:
        message = _without_path(error, path) + _hint_for(path, scheme.num_classes)
        problems.append(Problem(path, message))
        return None
    if (class_map == NOT_ANNOTATED).all():
        problems.append(Problem(path, "no pixel is annotated; take the example out."))
    return class_map


def _is_swapped(example: Example, micrograph: Micrograph | None) -> bool:
    """Say whether the pair looks swapped; files are read again only if it may be."""
    may_be = micrograph is None or looks_drawn(micrograph.pixels)
    return may_be and look_swapped(example.micrograph_path, example.annotation_path)


def _hint_for(path: Path, num_classes: int) -> str:
    """Say what a set of strange values most likely is."""
    try:
        values = read_label_map(path)
    except DefectKerasError:
        return ""
    if values.min() >= 1 and values.max() == num_classes:
        return (
            " It seems to count from 1, as ilastik does: set encoding = "
            '"class_index_from_1".'
        )
    return ""


def _missing_partner(example: Example) -> Problem:
    return Problem(
        example.micrograph_path,
        f"the micrograph needs its annotation, {example.annotation_path}, and that "
        "file does not exist. Add it, or correct `annotations` of [[sources]] "
        f"{example.source_name!r}.",
    )


def _shape_problems(
    example: Example, micrograph: Micrograph | None, class_map: ClassMap | None
) -> Iterator[Problem]:
    """Compare height and width of micrograph and annotation."""
    shape = _shape_of(example.annotation_path, class_map)
    if micrograph is None or shape is None:
        return
    if shape in (micrograph.shape, micrograph.file_shape):
        return
    hint = "Draw it on this micrograph, or crop the micrograph as it was drawn on."
    if micrograph.shape == shape[::-1]:
        hint = "Height and width are swapped: turn the annotation."
    yield Problem(
        example.annotation_path,
        "the annotation must have the height and width of its micrograph, "
        f"{micrograph.shape}. Received: {shape}. {hint}",
    )


def _shape_of(path: Path, class_map: ClassMap | None) -> tuple[int, ...] | None:
    """Give (H, W) of an annotation, also of one with classes that are wrong."""
    if class_map is not None:
        return class_map.shape
    try:
        return read_frame(path).pixels.shape[:2]
    except DefectKerasError:
        return None


def _digests_of(example: Example) -> tuple[str, str] | None:
    try:
        return (
            sha256_of_file(example.micrograph_path),
            sha256_of_file(example.annotation_path),
        )
    except OSError:  # told where it is read
        return None


def _pixel_digest_of(micrograph: Micrograph | None) -> str | None:
    if micrograph is None:
        return None
    digest = hashlib.sha256(f"{micrograph.shape}".encode())
    digest.update(np.ascontiguousarray(micrograph.pixels).data)
    return digest.hexdigest()


def _count(class_map: ClassMap | None, scheme: LabelScheme) -> tuple[int, ...] | None:
    if class_map is None:
        return None
    classes = range(scheme.num_classes)
    return tuple(int(np.count_nonzero(class_map == index)) for index in classes)


def _without_path(error: Exception, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")
