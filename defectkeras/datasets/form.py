"""The TOML form of a data spec, schema 1, key by key.

The form is strict: an unknown or a missing key is an error that names the
nearest known key.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from defectkeras.core.errors import DatasetError
from defectkeras.core.file_names import composed
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.strict import from_mapping
from defectkeras.micrographs.annotations import Encoding

SCHEMA = 1

SplitName = Literal["train", "val", "test"]

SPLITS: tuple[SplitName, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class SourceForm:
    """One `[[sources]]` table: micrographs of one origin and their annotations.

    Attributes:
        name: What the source is called.
        micrographs: Glob pattern under the root, such as "images/*.png".
        annotations: Path under the root with "{stem}" (the micrograph's file
            name without suffix) or "{folder}" (its folder) in it.
        encoding: What the numbers of a PNG or TIFF are: "class_index" (a class
            per pixel), "class_index_from_1" (the matrix is 1, as in ilastik),
            "binary" (one class, 0/1 or 0/255), "objects" (object numbers, 0 is
            none) or "colors". Files of labelme, COCO and ImageJ need none.
        object_class: Name of the class that binary and object annotations
            show; not needed when the scheme has one defect class.
        colors: "#rrggbb" of each class in the order of the index, for "colors".
        color_tolerance: How far from these a pixel's color may be, 0 to 255.
        line_width_px: Width of lines in files that keep none, such as labelme's.
        line_width_nm: Likewise in nm.
        pixel_size_nm: Pixel size in nm where the files do not tell it; wins
            over what they tell.
        foil_thickness_nm: Foil thickness in nm, likewise.
        specimen: Regular expression with one group that finds the specimen in
            the micrograph's name; without it each file is its own specimen.
        license: Licence of this source where it is not that of the set.
    """

    name: str
    micrographs: str
    annotations: str
    encoding: Encoding = "class_index"
    object_class: str | None = None
    colors: tuple[str, ...] = ()
    color_tolerance: int = 0
    line_width_px: float | None = None
    line_width_nm: float | None = None
    pixel_size_nm: float | None = None
    foil_thickness_nm: float | None = None
    specimen: str | None = None
    license: str | None = None


@dataclass(frozen=True)
class SplitForm:
    """The `[split]` table: lists of names or patterns, or fractions and a seed.

    Attributes:
        by: What the lists name and what is never parted: "file" or "specimen".
        train: Names or glob patterns of the training examples.
        val: Likewise, for validation.
        test: Likewise, for testing.
        unused: Likewise, examples that are left out on purpose.
        fractions: Shares of train, val and test, which add up to 1.
        seed: Which of the many random splits; only with fractions.
    """

    by: Literal["file", "specimen"] = "file"
    train: tuple[str, ...] = ()
    val: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    fractions: tuple[float, float, float] | None = None
    seed: int = 0


@dataclass(frozen=True)
class SpecForm:
    """A whole data spec file.

    Attributes:
        schema: Version of this form: 1.
        name: Name of the set.
        description: One or two sentences for people.
        license: Licence of the files, as SPDX name where there is one.
        source: Where the files come from: address and DOI.
        root: Folder of the files, relative to the folder of the spec.
        classes: The `[[classes]]` tables.
        sources: The `[[sources]]` tables.
        split: The `[split]` table.
        fingerprint: "sha256:..." over the contents, to notice a changed file.
    """

    schema: int
    name: str
    description: str
    license: str
    source: str
    root: str
    classes: tuple[DefectClass, ...]
    sources: tuple[SourceForm, ...]
    split: SplitForm
    fingerprint: str | None = None

    @property
    def scheme(self) -> LabelScheme:
        """The classes, checked against each other."""
        return LabelScheme(self.classes)


def read_form(path: Path) -> SpecForm:
    """Read a data spec file without looking at the files that it names.

    Args:
        path: A TOML file.

    Returns:
        The form as written.

    Raises:
        DatasetError: When the file cannot be read, is no TOML, has another
            schema, an unknown, missing or wrong key, or classes that do not fit.
    """
    table = _read_toml(path)
    schema = table.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise DatasetError(
            f"{path}: `schema` must be {SCHEMA}, the form that this version of "
            f"defectkeras knows. Received: {schema!r}."
        )
    form = from_mapping(SpecForm, table, where=str(path), error=DatasetError)
    if not form.sources:
        raise DatasetError(f"{path}: must have at least one [[sources]] table.")
    try:
        LabelScheme(form.classes)
    except DatasetError as error:
        raise DatasetError(f"{path} [[classes]]: {error}") from error
    return form


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(composed(path.read_text(encoding="utf-8-sig")))
    except IsADirectoryError as error:
        raise DatasetError(
            f"{path}: a data spec must be a TOML file. Received: a folder."
            f"{_specs_in(path)}"
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatasetError(
            f"{path}: a data spec must be a readable file. Received: {reason}."
        ) from error
    except RecursionError as error:
        raise DatasetError(f"{path}: a data spec must not nest so deeply.") from error
    except ValueError as error:  # no UTF-8, no TOML, or a number of 5000 digits
        reason = " ".join(str(error).split())
        raise DatasetError(
            f"{path}: a data spec must be TOML. Received: {reason}."
        ) from error


def _specs_in(folder: Path) -> str:
    """Say which file of a folder is meant, as the last sentence of an error message."""
    specs = sorted(str(path) for path in folder.glob("*.toml"))
    if not specs:
        return " docs/data_specs.md tells how to write one."
    return f" Did you mean {' or '.join(specs[:3])}?"
