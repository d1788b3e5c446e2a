"""All that is wrong with a set, at once, in plain words."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from defectkeras.core.errors import DatasetError, MicrographError
from defectkeras.core.file_names import composed, name_of_file
from defectkeras.datasets.facts import ExampleFacts, Problem, gather_facts
from defectkeras.datasets.fingerprint import combine_pairs
from defectkeras.datasets.form import SPLITS, SpecForm, read_form
from defectkeras.datasets.sources import annotation_pattern, find_files, find_pairs
from defectkeras.datasets.spec import DatasetSpec, Example, inspect_form
from defectkeras.micrographs.annotations.read import image_names

_MAX_SIZE_RATIO = 2.0
_MOST_COVERED = 0.8  # of all pixels by one defect class
_MOST_NAMED = 3
_PURPOSE = {"train": "learned", "val": "validated", "test": "tested"}

Key = TypeVar("Key")


def validate_dataset_spec(
    path: Path | str, *, root: Path | str | None = None
) -> tuple[Problem, ...]:
    """Find all problems of a data spec and of its files.

    Args:
        path: A TOML file.
        root: Folder of the files, instead of the `root` of the spec.

    Returns:
        The problems: those of the spec, of each file and of the set. A spec
        whose form has a fault has this one problem.
    """
    path = Path(path)
    try:
        return validate_form(read_form(path), path, root=root)
    except DatasetError as error:
        return (Problem(path, str(error).removeprefix(f"{path}: ")),)


def validate_form(
    form: SpecForm,
    path: Path,
    *,
    root: Path | str | None = None,
    needs_validation: bool = True,
) -> tuple[Problem, ...]:
    """Find all problems of a form and of the files that it names.

    Args:
        form: As read, or as it will be written.
        path: The TOML file, which may not be there yet.
        root: Folder of the files, instead of the `root` of the form.
        needs_validation: Whether a set to train on needs a split to validate with.

    Raises:
        DatasetError: When the root does not exist.
    """
    spec, faults = inspect_form(form, path, root=root)
    problems = [Problem(path, fault) for fault in faults]
    problems += _orphans(form, spec.root)
    problems += _orphan_images(form, spec.root)
    if not faults:
        problems += find_problems(spec)
        return (*problems, *(_split_sizes(spec) if needs_validation else ()))
    facts = gather_facts(spec)  # the splits are not to be used
    return (*problems, *_file_problems(facts), *_shared_annotations(facts))


def find_problems(spec: DatasetSpec) -> tuple[Problem, ...]:
    """Find all problems of the files of a set.

    Args:
        spec: As loaded.

    Returns:
        The problems of each file, then those of the set: a partner that is
        missing, sizes that differ, a class that is not in the scheme, 0/255
        masks, a class that never occurs or covers nearly all, pixel sizes that
        do not fit together, one micrograph in two splits, a fingerprint that differs.
    """
    facts = gather_facts(spec)
    return (
        *_file_problems(facts),
        *_shared_annotations(facts),
        *_duplicates(facts),
        *_parted_specimens(spec.examples),
        *_empty_classes(spec, facts),
        *_filling_classes(spec, facts),
        *_pixel_sizes(spec, facts),
        *_fingerprint(spec, facts),
    )


def _file_problems(facts: Iterable[ExampleFacts]) -> list[Problem]:
    return [problem for each in facts for problem in each.problems]


def _orphans(form: SpecForm, root: Path) -> Iterator[Problem]:
    """Find annotations whose micrograph is missing."""
    for source in form.sources:
        pairs, _ = find_pairs(source, root)
        known = {composed(str(pair.annotation_path)) for pair in pairs}
        if not pairs:
            continue
        for path in find_files(root, annotation_pattern(source)):
            if composed(str(path)) not in known:
                yield Problem(
                    path,
                    "the annotation has no micrograph that matches micrographs = "
                    f"{source.micrographs!r}. Add it, or take the annotation away.",
                    "warning",
                )


def _orphan_images(form: SpecForm, root: Path) -> Iterator[Problem]:
    """Find images in files of COCO whose micrograph is missing."""
    known: dict[Path, set[str]] = defaultdict(set)
    for source in form.sources:
        for pair in find_pairs(source, root)[0]:
            known[pair.annotation_path].add(name_of_file(pair.micrograph_path))
    for path, names in known.items():
        try:
            lost = [n for n in image_names(path) if n not in names]
        except (OSError, MicrographError):  # told where it is read
            continue
        if lost:
            more = ", ..." if len(lost) > _MOST_NAMED else ""
            yield Problem(
                path,
                f"{len(lost)} of its images have no micrograph that matches "
                f"`micrographs`: {', '.join(lost[:_MOST_NAMED])}{more}. Add them, or "
                "take the images out.",
                "warning",
            )


def _shared_annotations(facts: Sequence[ExampleFacts]) -> Iterator[Problem]:
    """Find annotations that belong to two micrographs, or are one themselves."""
    users = _grouped((f.example.annotation_path, f.example) for f in facts)
    for path, examples in users.items():
        holds_many = path.suffix.lower() == ".json"  # COCO: many images in one file
        if len({e.micrograph_path for e in examples}) > 1 and not holds_many:
            names = ", ".join(e.name for e in examples[:3])
            yield Problem(
                path,
                f"{len(examples)} micrographs ({names}) have this one annotation. "
                "Put {stem} or {folder} into `annotations`.",
            )
    for example in (f.example for f in facts):
        if example.annotation_path == example.micrograph_path:
            yield Problem(
                example.micrograph_path,
                "the micrograph is its own annotation. Correct `annotations` of "
                f"[[sources]] {example.source_name!r}.",
            )


def _duplicates(facts: Sequence[ExampleFacts]) -> Iterator[Problem]:
    """Find micrographs of the same contents."""
    same = _grouped((f.pixel_digest, f.example) for f in facts if f.pixel_digest)
    for examples in same.values():
        first = examples[0]
        for other in examples[1:]:
            if other.split != first.split:
                yield Problem(
                    other.micrograph_path,
                    f"the same micrograph is in {first.split} ({first.name}) and in "
                    f"{other.split} ({other.name}): what was learned is tested. "
                    "Take one out.",
                )
            elif other.micrograph_path != first.micrograph_path:
                yield Problem(
                    other.micrograph_path,
                    f"the same micrograph is there twice, as {first.name} and as "
                    f"{other.name}, and counts twice. Take one out.",
                    "warning",
                )


def _parted_specimens(examples: Sequence[Example]) -> Iterator[Problem]:
    """Find specimens that are in more than one split."""
    for specimen, members in _grouped((e.specimen, e) for e in examples).items():
        splits = [s for s in SPLITS if any(e.split == s for e in members)]
        if len(splits) > 1:
            yield Problem(
                members[0].micrograph_path,
                f"specimen {specimen!r} is in {' and '.join(splits)}: the result will "
                "be better than on a new specimen. Split with by = 'specimen'.",
                "warning",
            )


def _split_sizes(spec: DatasetSpec) -> Iterator[Problem]:
    """Find a split for training that has nothing to validate with."""
    if spec.of_split("train") and not spec.of_split("val"):
        yield Problem(
            spec.path,
            "there are examples to train and none to validate with. Name some under "
            "`val` in [split].",
            "warning",
        )


def _empty_classes(
    spec: DatasetSpec, facts: Sequence[ExampleFacts]
) -> Iterator[Problem]:
    """Find defect classes that never occur in a split."""
    for split in SPLITS:
        counts = [f.class_counts for f in facts if f.example.split == split]
        if not counts or None in counts:
            continue
        for defect in spec.scheme.defects:
            if not any(c[defect.index] for c in counts if c):
                yield Problem(
                    spec.path,
                    f"class {defect.index} ({defect.name!r}) occurs in no annotation "
                    f"of {split}: it cannot be {_PURPOSE[split]}. Move an example "
                    "that shows it, or take the class out.",
                    "warning",
                )


def _filling_classes(
    spec: DatasetSpec, facts: Sequence[ExampleFacts]
) -> Iterator[Problem]:
    """Find defect classes that cover nearly all, as the matrix of inverted masks."""
    counts = [f.class_counts for f in facts if f.class_counts is not None]
    pixels = [sum(of_class) for of_class in zip(*counts, strict=True)]
    for defect in spec.scheme.defects if counts else ():
        share = pixels[defect.index] / max(sum(pixels), 1)
        if share > _MOST_COVERED:
            yield Problem(
                spec.path,
                f"class {defect.index} ({defect.name!r}) covers {share:.0%} of the "
                "annotated pixels. If these are the matrix, the masks are inverted: "
                "invert them, as ImageJ does with Edit > Invert.",
                "warning",
            )


def _pixel_sizes(spec: DatasetSpec, facts: Sequence[ExampleFacts]) -> Iterator[Problem]:
    """Find pixel sizes that do not fit together."""
    calibrations = [f.calibration for f in facts if f.calibration is not None]
    sizes_nm = [c.pixel_size_nm for c in calibrations if c.pixel_size_nm is not None]
    if sizes_nm and len(sizes_nm) < len(calibrations):
        unknown = [
            f.example.name
            for f in facts
            if f.calibration is not None and f.calibration.pixel_size_nm is None
        ]
        yield Problem(
            spec.path,
            f"the pixel size of {len(unknown)} of {len(calibrations)} micrographs is "
            f"not known ({', '.join(unknown[:3])}). Give `pixel_size_nm` in a "
            "[[sources]] table of their own.",
            "warning",
        )
    if sizes_nm and max(sizes_nm) > _MAX_SIZE_RATIO * min(sizes_nm):
        yield Problem(
            spec.path,
            f"pixel sizes go from {min(sizes_nm):g} to {max(sizes_nm):g} nm: a defect "
            "of one size in nm has different sizes in pixels. Split the set by "
            "magnification, or resample it.",
            "warning",
        )


def _fingerprint(spec: DatasetSpec, facts: Sequence[ExampleFacts]) -> Iterator[Problem]:
    """Compare the declared fingerprint with that of the files."""
    digests = [f.digests for f in facts if f.digests]
    if spec.fingerprint is None or len(digests) < len(facts):
        return
    found = combine_pairs(digests)
    if found != spec.fingerprint:
        yield Problem(
            spec.path,
            f"`fingerprint` must be that of the files, {found}. Received: "
            f"{spec.fingerprint}. A file has changed, is new or is gone: get the "
            "original, or write the new fingerprint.",
        )


def _grouped(pairs: Iterable[tuple[Key, Example]]) -> dict[Key, list[Example]]:
    groups: dict[Key, list[Example]] = defaultdict(list)
    for key, example in pairs:
        groups[key].append(example)
    return groups
