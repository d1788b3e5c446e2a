"""From the patterns of a source to pairs of micrograph and annotation."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from defectkeras.core.file_names import composed, on_disk, spellings
from defectkeras.datasets.faults import source_faults
from defectkeras.datasets.form import SourceForm
from defectkeras.micrographs.read import READERS


@dataclass(frozen=True)
class Pair:
    """A micrograph and where its annotation must be.

    Attributes:
        name: Path of the micrograph without suffix, composed, below the part of
            the pattern that has no wildcard: "a/01" for "images/*/*.png".
        micrograph_path: A file that exists.
        annotation_path: A file that may be missing.
        specimen: What the micrograph shows, or None when not told.
    """

    name: str
    micrograph_path: Path
    annotation_path: Path
    specimen: str | None


def find_pairs(
    source: SourceForm, root: Path
) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
    """Find the micrographs of a source and name their annotations.

    Args:
        source: The patterns.
        root: The folder below which the files lie.

    Returns:
        The pairs in the order of their names, without files that are the
        annotation of another, and in plain words what is wrong with what was
        found; nothing when the patterns themselves are wrong.
    """
    if source_faults(source):
        return (), ()
    try:
        paths = find_files(root, source.micrographs)
    except (OSError, ValueError) as error:
        return (), (
            f"source {source.name!r}: micrographs = {source.micrographs!r} must be a "
            f"pattern that can be searched. Received: {error}.",
        )
    if source.micrographs.endswith("*"):  # texts that SEMs write lie beside them
        paths = [path for path in paths if path.suffix.lower() in READERS]
    if not paths:
        return (), (
            f"source {source.name!r}: no file matches micrographs = "
            f"{source.micrographs!r} under {root}. {_whats_there(source, root)}",
        )
    pairs = _without_annotations([_pair(path, source, root) for path in paths])
    return pairs, _pair_faults(pairs, source)


def find_files(root: Path, pattern: str) -> list[Path]:
    """Give the files that a glob pattern matches, sorted, without hidden ones.

    The suffix may be in upper or lower case: cameras and people mix ".TIF" and ".tif".
    """
    rest, dot, suffix = pattern.rpartition(".")
    if dot and suffix.isalnum():
        pattern = rest + dot + "".join(f"[{c.lower()}{c.upper()}]" for c in suffix)
    found = [p for spelling in spellings(pattern) for p in root.glob(spelling)]
    found = [p for p in found if p.is_file() and not p.name.startswith(".")]
    # macOS opens one file by both spellings.
    return sorted({(composed(str(p)), p.stat().st_ino): p for p in found}.values())


def annotation_pattern(source: SourceForm) -> str:
    """Give the glob pattern that matches every possible annotation of a source.

    Example:
        >>> source = SourceForm("a", "*/*.tif", "masks[1]/{folder}/{stem}.png")
        >>> annotation_pattern(source)
        'masks[[]1]/**/*.png'
    """
    parts = []
    for part in PurePosixPath(source.annotations).parts:
        escaped = re.sub(r"([*?\[])", r"[\1]", part)
        starred = escaped.replace("{stem}", "*").replace("{folder}", "*")
        parts.append("**" if part == "{folder}" else starred)
    return "/".join(parts)


def _pair(path: Path, source: SourceForm, root: Path) -> Pair:
    parts = path.relative_to(root).parts[len(_fixed_part(source.micrographs).parts) :]
    name = composed(PurePath(*parts).with_suffix("").as_posix())
    found = re.search(source.specimen, name) if source.specimen else None
    return Pair(
        name=name,
        micrograph_path=path,
        annotation_path=_annotation_path_of(path, source, root),
        specimen=found.group(1) if found else None,
    )


def _without_annotations(pairs: list[Pair]) -> tuple[Pair, ...]:
    """Leave out what is the annotation of another: "a_mask.png" beside "a.png"."""
    paths = [
        (composed(str(p.micrograph_path)), composed(str(p.annotation_path)))
        for p in pairs
    ]
    others = {annotation for own, annotation in paths if annotation != own}
    return tuple(
        pair for pair, (own, _) in zip(pairs, paths, strict=True) if own not in others
    )


def _annotation_path_of(path: Path, source: SourceForm, root: Path) -> Path:
    """Fill the placeholders of `annotations` for one micrograph."""
    folder = path.parent.relative_to(root).as_posix()
    filled = source.annotations.replace("{folder}", folder)
    return on_disk(root, filled.replace("{stem}", path.stem))


def _pair_faults(pairs: tuple[Pair, ...], source: SourceForm) -> tuple[str, ...]:
    """Say which micrographs share a name or have no specimen."""
    faults = []
    seen: set[str] = set()
    for pair in pairs:
        if pair.name in seen:
            faults.append(
                f"source {source.name!r}: two micrographs are named {pair.name!r}. "
                "Rename one, or narrow the `micrographs` pattern to one suffix."
            )
        seen.add(pair.name)
        if source.specimen and not pair.specimen:
            faults.append(
                f"source {source.name!r}: `specimen` = {source.specimen!r} finds no "
                f"specimen in {pair.name!r}."
            )
    return tuple(faults)


def _fixed_part(pattern: str) -> PurePosixPath:
    """Give the folders of a pattern before the first wildcard.

    Example:
        >>> str(_fixed_part("images/a/*/frame.png"))
        'images/a'
    """
    folders = []
    for part in PurePosixPath(pattern).parent.parts:
        if any(sign in part for sign in "*?["):
            break
        folders.append(part)
    return PurePosixPath(*folders)


def _whats_there(source: SourceForm, root: Path) -> str:
    """Say what lies where the files were looked for."""
    folder = root / _fixed_part(source.micrographs)
    if not folder.is_dir():
        return f"The folder {folder} does not exist."
    names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    if not names:
        return f"The folder {folder} is empty."
    more = ", ..." if len(names) > 3 else ""
    return f"The folder {folder} holds {', '.join(names[:3])}{more}"
