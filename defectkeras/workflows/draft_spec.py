"""A first data spec, drafted from what lies in a folder."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.core.labels import LabelScheme, scheme_of_names
from defectkeras.datasets.form import SCHEMA, SourceForm, SpecForm, SplitForm
from defectkeras.datasets.sources import Pair, find_pairs
from defectkeras.datasets.spec import Example, inspect_form
from defectkeras.datasets.split import assign_splits
from defectkeras.datasets.swapped import require_not_swapped
from defectkeras.datasets.write import FILE_NAME
from defectkeras.micrographs.annotations.colors import count_colors, holds_colors
from defectkeras.micrographs.annotations.maps import Encoding, read_class_map
from defectkeras.micrographs.annotations.read import (
    MAP_SUFFIXES,
    SHAPE_SUFFIXES,
    Hints,
    holds_shapes,
    image_names,
)
from defectkeras.micrographs.read import READERS
from defectkeras.workflows.annotated import AnnotatedField, scheme_of_fields

MICROGRAPHS = ("micrographs", "images", "")
"""Folders in which micrographs are looked for; the last is the folder itself."""
ANNOTATIONS = ("annotations", "masks", "labels", "")
"""Likewise for annotations."""
ENDINGS = ("", "_mask", "_masks", "_label", "_labels")
"""What may follow the name of the micrograph in that of its annotation."""
FRACTIONS = (0.8, 0.2, 0.0)
FEWEST_TO_SHARE = 5
"""Of fewer annotated micrographs all are for training."""

BLACK = "#000000"
"""The color of the matrix, where it is there."""

_KNOWN = (*SHAPE_SUFFIXES, *MAP_SUFFIXES)
_SEEN: tuple[Encoding, ...] = ("class_index", "binary", "objects")


@dataclass(frozen=True)
class DraftRequest:
    """What a data spec is drafted from.

    Attributes:
        folder: With micrographs and annotations.
        classes: Each "name" or "name:kind" in the order of the index; empty takes
            those that shapes have, or "class_1" and so on for masks in colors.
        encoding: What the numbers of maps are; None takes what fits all of them.
        hints: The class of objects and the width of lines, where files do not tell.
        pixel_size_nm: Where the files do not tell it, or None.
        foil_thickness_nm: Likewise.
    """

    folder: Path
    classes: tuple[str, ...] = ()
    encoding: Encoding | None = None
    hints: Hints = field(default_factory=Hints)
    pixel_size_nm: float | None = None
    foil_thickness_nm: float | None = None


def draft_spec(request: DraftRequest) -> SpecForm:
    """Find micrographs and annotations that belong together, and describe them.

    Args:
        request: The folder, and what its files do not tell.

    Returns:
        The form; micrographs without an annotation are unused, and of
        `FEWEST_TO_SHARE` others or more a fifth, drawn at random, is for validation.

    Raises:
        DatasetError: When nothing belongs together, both look swapped, or classes
            or numbers of the annotations cannot be told.
        MicrographError: When an annotation cannot be read.
    """
    root = request.folder
    sources = find_sources(root)
    pairs = [pair for source in sources for pair in find_pairs(source, root)[0]]
    annotated = [pair for pair in pairs if pair.annotation_path.exists()]
    require_not_swapped(annotated)
    maps = [p.annotation_path for p in annotated if not holds_shapes(p.annotation_path)]
    colors = _colors(request, maps)
    scheme, hints = _scheme(request, annotated, colors), request.hints
    encoding = "colors" if colors else _encoding(request, scheme, maps)
    has_choice = encoding in ("binary", "objects") and len(scheme.defects) > 1
    form = SpecForm(
        schema=SCHEMA,
        name=root.resolve().name,
        description="Own micrographs.",
        license="not told",
        source="own micrographs",
        root=".",
        classes=scheme.classes,
        sources=tuple(
            dataclasses.replace(
                source,
                encoding=encoding,
                colors=colors,
                object_class=hints.object_class if has_choice else None,
                line_width_px=hints.line_width_px,
                pixel_size_nm=request.pixel_size_nm,
                foil_thickness_nm=request.foil_thickness_nm,
            )
            for source in sources
        ),
        split=SplitForm(fractions=FRACTIONS),
    )
    spec, _ = inspect_form(form, root / FILE_NAME)  # names all of them
    return dataclasses.replace(form, split=_split(spec.examples))


def find_sources(root: Path) -> tuple[SourceForm, ...]:
    """Find which files are micrographs, and what their annotations are called.

    Args:
        root: A folder; both lie in it, or in `MICROGRAPHS` and `ANNOTATIONS` in it.

    Returns:
        A source for each suffix of micrographs, with the pattern that names the
        annotations of most of them.

    Raises:
        DatasetError: When no micrograph has an annotation.
    """
    sources = []
    for suffix in READERS:
        layouts = [
            (count, SourceForm(suffix[1:], f"{folder}*{suffix}", annotations))
            for folder in _folders(root, MICROGRAPHS)
            for annotations, count in _annotations_of(root, folder, suffix)
        ]
        if layouts:  # the first of those with most
            sources.append(max(layouts, key=lambda layout: layout[0])[1])
    if not sources:
        raise DatasetError(
            f"{root}: must hold micrographs and their annotations, of the same names "
            "in micrographs/ (or images/) and annotations/ (masks/, labels/), or side "
            "by side as field_1.tif and field_1.json or field_1_mask.png. Received: "
            f"{_what_came(root)}. docs/data_specs.md has the form for others."
        )
    return tuple(sources)


def _what_came(root: Path) -> str:
    """Say why nothing belongs together."""
    masks = [p for f in _folders(root, ANNOTATIONS) if f for p in _files(root / f)]
    if any(p.suffix.lower() in (".jpg", ".jpeg") for p in masks):
        return "JPEG, which blurs the numbers of masks: save them as PNG or TIFF"
    return "none that belong together"


def _folders(root: Path, names: Sequence[str]) -> list[str]:
    """Give those that are there, each as it begins a pattern."""
    return [f"{name}/" if name else "" for name in names if (root / name).is_dir()]


def _files(folder: Path) -> list[Path]:
    return [
        p
        for p in sorted(folder.iterdir())
        if p.is_file() and not p.name.startswith(".")
    ]


def _annotations_of(root: Path, folder: str, suffix: str) -> Iterator[tuple[str, int]]:
    """Give each pattern of annotations that micrographs have, and how many do."""
    stems = {p.stem for p in _files(root / folder) if p.suffix.lower() == suffix}
    for other in _folders(root, ANNOTATIONS) if stems else ():
        files = _files(root / other)
        names = {p.name for p in files}
        for end in sorted({p.suffix for p in files}):
            for ending in ENDINGS:
                is_beside = other == folder and not ending
                known = SHAPE_SUFFIXES if is_beside else _KNOWN
                count = sum(f"{stem}{ending}{end}" in names for stem in stems)
                if count and end.lower() in known:
                    yield f"{other}{{stem}}{ending}{end}", count
        for path in files:
            count = len(stems.intersection(_images_in(path)))
            if count:
                yield f"{other}{path.name}", count


def _images_in(path: Path) -> tuple[str, ...]:
    """Give the images of a file of COCO; another JSON has none."""
    try:
        return image_names(path)
    except MicrographError:
        return ()


def color_pixels(form: SpecForm, root: Path) -> dict[str, int]:
    """Count the pixels of each color of a drafted spec, in the order of the classes.

    Args:
        form: Of `draft_spec`.
        root: The folder.

    Returns:
        "#rrggbb" to pixels; empty where no mask is in colors.
    """
    colors = form.sources[0].colors
    pairs = [pair for source in form.sources for pair in find_pairs(source, root)[0]]
    paths = [p.annotation_path for p in pairs if p.annotation_path.exists()]
    counts = count_colors(p for p in paths if not holds_shapes(p)) if colors else {}
    return {color: counts[color] for color in colors}


def _colors(request: DraftRequest, maps: Sequence[Path]) -> tuple[str, ...]:
    """Give the color of each class, matrix first; none where masks hold numbers.

    The matrix is black where there is black, else the most frequent color.
    """
    if request.encoding not in (None, "colors"):
        return ()
    if request.encoding is None and not any(map(holds_colors, maps)):
        return ()
    found = sorted(count_colors(maps), key=lambda color: color != BLACK)
    if len(found) != len(request.classes) + 1 and request.classes:
        raise DatasetError(
            f"{request.folder}: masks in colors must have one for each class, beside "
            f"the matrix. Received: {len(found)} colors ({', '.join(found)}) "
            f"for {', '.join(request.classes)}. Name as many by --class, in this order."
        )
    return tuple(found)


def _scheme(
    request: DraftRequest, annotated: Sequence[Pair], colors: Sequence[str]
) -> LabelScheme:
    if request.classes:
        return scheme_of_names(request.classes)
    if colors:
        return scheme_of_names([f"class_{i}" for i in range(1, len(colors))])
    drawn = [p for p in annotated if holds_shapes(p.annotation_path)]
    if len(drawn) < len(annotated):
        raise DatasetError(
            f"{request.folder}: the classes of masks must be named. Give them in the "
            "order of their numbers, such as --class void --class dislocation:line."
        )
    fields = [AnnotatedField(p.micrograph_path.stem, p.annotation_path) for p in drawn]
    return scheme_of_fields(fields, request.hints)


def _encoding(
    request: DraftRequest, scheme: LabelScheme, maps: Sequence[Path]
) -> Encoding:
    """Give what the user says, else what fits; shapes have none."""
    if not maps:
        return "class_index"
    return request.encoding or _encoding_of(maps, scheme)


def _encoding_of(paths: Sequence[Path], scheme: LabelScheme) -> Encoding:
    """Give the first encoding in which all maps can be read."""
    reasons = []
    for encoding in _SEEN:
        read = 0
        try:
            for path in paths:
                class_map = read_class_map(
                    path, num_classes=scheme.num_classes, encoding=encoding
                )
                if not (class_map == 0).any():  # numbers from 1 are no objects
                    break
                read += 1
            else:
                return encoding
        except MicrographError as error:
            reasons.append((read, str(error)))
    # Of the kind that most are of, what is wrong with the first that is not.
    _, reason = max(reasons, key=lambda r: r[0], default=(0, "some without matrix"))
    raise DatasetError(
        f"{paths[0].parent}: all masks must be of one kind. Say it by --encoding. "
        f"Received: {reason}"
    )


def _split(examples: Sequence[Example]) -> SplitForm:
    """Share out what is annotated, by a rule where there is nothing else."""
    names = [e.name for e in examples if e.annotation_path.exists()]
    rest = tuple(e.name for e in examples if not e.annotation_path.exists())
    rule = SplitForm(fractions=FRACTIONS)
    if len(names) < FEWEST_TO_SHARE:
        return SplitForm(train=tuple(names), unused=rest)
    if not rest:
        return rule
    splits, _ = assign_splits(names, rule)
    train, val = (
        tuple(n for n, s in zip(names, splits, strict=True) if s == split)
        for split in ("train", "val")
    )
    return SplitForm(train=train, val=val, unused=rest)
