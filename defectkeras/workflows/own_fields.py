"""A handful of annotated micrographs as a set that can be trained and validated on."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap
from defectkeras.core.errors import DatasetError
from defectkeras.core.files import whole_folder, write_whole
from defectkeras.core.labels import LabelScheme
from defectkeras.core.names import require_known
from defectkeras.datasets.check import validate_form
from defectkeras.datasets.facts import Problem
from defectkeras.datasets.form import (
    SCHEMA,
    SPLITS,
    SourceForm,
    SpecForm,
    SplitForm,
    read_form,
)
from defectkeras.datasets.spec import DatasetSpec, dataset_spec_of, load_example
from defectkeras.datasets.write import FILE_NAME, to_toml
from defectkeras.micrographs.annotations import write_class_map
from defectkeras.micrographs.annotations.read import MAP_SUFFIXES, SHAPE_SUFFIXES
from defectkeras.micrographs.write import write_micrograph

MICROGRAPHS, ANNOTATIONS = "micrographs", "annotations"
VALIDATION_SHARE = 0.25
MARGIN_PX = 32
"""Between the part that is learned from and the part that is validated on; less in
micrographs below 512 px, a sixteenth of the side."""


def load_fields(
    path: Path,
    scheme: LabelScheme | None,
    *,
    split: str = "train",
    root: Path | None = None,
) -> DatasetSpec:
    """Load a data spec, or make one of a folder of micrographs and annotations.

    Args:
        path: As `fields_form` takes it.
        scheme: Classes of a folder without a data spec.
        split: The split of all fields of such a folder.
        root: Folder of the files of a data spec, in place of its own.

    Raises:
        DatasetError: When the spec has a fault, the folder holds something else or the
            split is unknown.
    """
    require_known(split, SPLITS, what="split", error=DatasetError)
    form, path = fields_form(path, scheme, split=split)
    return dataset_spec_of(form, path, root=root)


def validate_fields(
    path: Path, scheme: LabelScheme | None, *, root: Path | None = None
) -> tuple[Problem, ...]:
    """Find all problems of what `load_fields` loads, and of its files.

    Without a validation split a part of each field serves as one, and annotations are
    corrected as one goes: neither that nor another fingerprint is a problem.

    Args:
        path: As `fields_form` takes it.
        scheme: Classes of a folder without a data spec.
        root: Folder of the files of a data spec, in place of its own.

    Raises:
        DatasetError: When the spec cannot be read or the folder holds something else.
    """
    form, spec_path = fields_form(path, scheme)
    form = dataclasses.replace(form, fingerprint=None)
    problems = validate_form(form, spec_path, root=root, needs_validation=False)
    others = sorted(path.glob("*.toml")) if spec_path.is_dir() else ()
    message = f"not read: the data spec of a folder is {FILE_NAME}. If it is one, name "
    message += "this file instead of the folder."
    return (*(Problem(other, message, "warning") for other in others), *problems)


def fields_form(
    path: Path, scheme: LabelScheme | None, *, split: str = "train"
) -> tuple[SpecForm, Path]:
    """Read a data spec, or make the form of a folder of micrographs and annotations.

    Args:
        path: A data spec; or a folder with one, or with micrographs/ and annotations/,
            in which files of the same name belong together.
        scheme: Classes of a folder without a data spec.
        split: The split of all fields of such a folder.

    Returns:
        The form, and the data spec that it was read from, or else the folder.

    Raises:
        DatasetError: When the spec cannot be read or the folder holds something else.
    """
    spec_path = path / FILE_NAME if (path / FILE_NAME).exists() else path
    if not spec_path.is_dir():
        return read_form(spec_path), spec_path
    known = (*MAP_SUFFIXES, *SHAPE_SUFFIXES)
    files = [p for p in (path / ANNOTATIONS).glob("*") if p.suffix.lower() in known]
    suffixes = {p.suffix for p in files}
    if len(suffixes) != 1 or not (path / MICROGRAPHS).is_dir():
        raise DatasetError(
            f"{path}: must hold a data spec {FILE_NAME}, or {MICROGRAPHS}/ and "
            f"{ANNOTATIONS}/ with one kind of file ({', '.join(known)}). Received: "
            f"{', '.join(sorted(suffixes)) or 'no annotation'}. `defectkeras data init "
            f"{shlex.quote(str(path))}` writes one for other folders."
        )
    if scheme is None:
        raise DatasetError(
            f"{path}: a folder without a data spec {FILE_NAME} has the classes of the "
            "model. Name that by --model, or write a data spec."
        )
    pattern = f"{ANNOTATIONS}/{{stem}}{suffixes.pop()}"
    of_split: dict[str, Any] = {split: ("*",)}
    form = SpecForm(
        schema=SCHEMA,
        name=path.resolve().name,
        description="Own micrographs.",
        license="not told",
        source="own micrographs",
        root=path.name,
        classes=scheme.classes,
        sources=(SourceForm("own", f"{MICROGRAPHS}/*", pattern),),
        split=SplitForm(**of_split),
    )
    return form, path


def split_in_space(spec: DatasetSpec, folder: Path) -> Path:
    """Write a set in which a quarter of each training micrograph is for validation.

    The micrographs stay whole, so that they are normalized as ever; what is not in a
    part is not annotated there. Of the four quarters along a side that one is taken
    whose defects are nearest to a quarter of all.

    Args:
        spec: With micrographs for training and none for validation.
        folder: For the micrographs, both annotations of each, and the data spec; an
            older one is replaced.

    Returns:
        The path of the new data spec.
    """
    form = SpecForm(
        schema=SCHEMA,
        name=spec.name,
        description=f"{spec.description} A quarter of each is for validation.",
        license=spec.license,
        source=spec.source,
        root=".",
        classes=spec.scheme.classes,
        sources=tuple(
            SourceForm(
                split,
                f"{MICROGRAPHS}/*.tif",
                f"{ANNOTATIONS}/{split}/{{stem}}.png",
            )
            for split in ("train", "val")
        ),
        split=SplitForm(train=("train/*",), val=("val/*",)),
    )
    taken: set[str] = set()
    with whole_folder(folder, replace=True) as new:
        for example in spec.of_split("train"):
            loaded = load_example(example, spec.scheme)
            name = name_in_parts(example.name)
            while name in taken:  # "a/b_c" and "a_b/c" are two
                name += "_"
            taken.add(name)
            (new / MICROGRAPHS).mkdir(parents=True, exist_ok=True)
            write_micrograph(loaded.micrograph, new / MICROGRAPHS / f"{name}.tif")
            parts = split_class_map(loaded.class_map, spec.scheme.num_classes)
            for split, class_map in zip(("train", "val"), parts, strict=True):
                path = new / ANNOTATIONS / split / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                write_class_map(class_map, path)
        write_whole(new / FILE_NAME, to_toml(form))
    return folder / FILE_NAME


def name_in_parts(name: str) -> str:
    """Give the name in its split of `split_in_space` of an example that is parted.

    Example:
        >>> name_in_parts("steel/a")
        'steel_a'
    """
    return name.replace("/", "_")


def split_class_map(class_map: ClassMap, num_classes: int) -> tuple[ClassMap, ClassMap]:
    """Part a class map into three quarters and one, with a margin between.

    Args:
        class_map: (H, W).
        num_classes: The matrix among them.

    Returns:
        (H, W) each: what is learned from, and what is validated on.

    Example:
        >>> learned, validated = split_class_map(np.zeros((4, 80), np.int32), 2)
        >>> (learned >= 0).sum(axis=1)[0], (validated >= 0).sum(axis=1)[0]
        (np.int64(55), np.int64(20))
    """
    parts = [
        _part(class_map, axis, from_end)
        for axis in ((1, 0) if class_map.shape[1] >= class_map.shape[0] else (0, 1))
        for from_end in (True, False)
    ]
    return min(parts, key=lambda pair: _imbalance(class_map, pair[1], num_classes))


def _part(class_map: ClassMap, axis: int, from_end: bool) -> tuple[ClassMap, ClassMap]:
    """Keep a quarter at one end of an axis for validation."""
    side = class_map.shape[axis]
    places = np.arange(side)[:: -1 if from_end else 1]
    places = places.reshape((-1, 1) if axis == 0 else (1, -1))
    quarter, margin = max(round(VALIDATION_SHARE * side), 1), min(MARGIN_PX, side // 16)
    learned = np.where(places >= quarter + margin, class_map, NOT_ANNOTATED)
    validated = np.where(places < quarter, class_map, NOT_ANNOTATED)
    return learned.astype(np.int32), validated.astype(np.int32)


def _imbalance(class_map: ClassMap, validated: ClassMap, num_classes: int) -> float:
    """Give how far the classes of a part are from a quarter of all their pixels."""
    all_pixels = np.bincount(class_map[class_map > 0], minlength=num_classes)
    own = np.bincount(validated[validated > 0], minlength=num_classes)
    known = all_pixels > 0
    return float(np.abs(own[known] / all_pixels[known] - VALIDATION_SHARE).sum())
