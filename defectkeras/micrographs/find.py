"""Which micrographs are meant by files and folders."""

import mimetypes
from collections.abc import Iterable, Sequence
from pathlib import Path

from defectkeras.core.errors import MicrographError
from defectkeras.micrographs.ome_zarr import is_ome_zarr
from defectkeras.micrographs.read import READERS, is_packed

_MOST_NAMES = 3  # of what is left out


def find_micrographs(paths: Iterable[str | Path]) -> list[Path]:
    """Give the files that are meant by files and folders.

    Args:
        paths: A file, or a folder of Zarr, stays what it is; any other folder
            gives its files with a known suffix, sorted by name, without hidden ones
            and subfolders.

    Returns:
        The files, each once, however its folder is spelled.

    Raises:
        MicrographError: When nothing lies at a path, or no micrograph is found.
    """
    found: list[Path] = []
    given = [Path(path) for path in paths]
    for path in given:
        if path.is_dir() and not is_ome_zarr(path):
            entries = sorted(path.iterdir())
            found += [e for e in entries if _looks_like_micrograph(e)]
        elif path.exists():
            found.append(path)
        else:
            raise MicrographError(f"{path}: must exist. Received: nothing there.")
    if not found:
        raise MicrographError(
            "At least one micrograph must be given. Received: no file with a known "
            f"suffix in {[str(path) for path in given]}. Known: {', '.join(READERS)}. "
            "Folders in a folder are not searched; name them."
        )
    first: dict[Path, Path] = {}
    for path in found:
        first.setdefault(path.parent.resolve() / path.name, path)
    return list(first.values())


def notes_of_left_out(paths: Iterable[str | Path]) -> list[str]:
    """Say what of folders is left out though it may be meant.

    Args:
        paths: Files and folders, as for `find_micrographs`.

    Returns:
        A sentence for each folder that has images of a format that is not read, and
        one for each that has folders with micrographs that are not among the paths.
    """
    given = [Path(path) for path in paths]
    searched = {path.resolve() for path in given}
    notes = []
    for folder in filter(Path.is_dir, given):
        entries = [e for e in sorted(folder.iterdir()) if not e.name.startswith(".")]
        images = [e.name for e in entries if _is_image_of_other_format(e)]
        if images:
            notes.append(
                f"{folder}: left out, as their format is not read: "
                f"{_listed(images)}. Save them as PNG or TIFF."
            )
        folders = [
            e.name
            for e in entries
            if _holds_micrographs(e) and e.resolve() not in searched
        ]
        if folders:
            notes.append(
                f"{folder}: folders in it are not searched: {_listed(folders)}. Name "
                "them, too, if their micrographs are meant."
            )
    return notes


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _is_image_of_other_format(path: Path) -> bool:
    kind = mimetypes.guess_type(path.name)[0] or ""
    is_image = kind.startswith("image/") and path.suffix.lower() not in READERS
    return is_image or is_packed(path)


def _holds_micrographs(path: Path) -> bool:
    """Say whether a folder does; one that may not be read holds none."""
    is_folder = path.is_dir() and not is_ome_zarr(path)
    return is_folder and any(_looks_like_micrograph(e) for e in path.glob("*"))


def _looks_like_micrograph(path: Path) -> bool:
    is_hidden = path.name.startswith(".")
    is_lost = path.is_symlink() and not path.exists()  # is told when it is read
    is_there = path.is_file() or is_ome_zarr(path) or is_lost
    return is_there and path.suffix.lower() in READERS and not is_hidden
