"""Names of files, which are the same however Unicode spells them.

An "ä" is one sign (composed) or an "a" and a mark (decomposed). macOS has long given
file names in the second form, and what people type is in the first. So a name that
is held against another goes through `composed`, and one that is looked for on the
disk through `on_disk`.
"""

import contextlib
import unicodedata
from pathlib import Path, PurePath


def composed(text: str) -> str:
    r"""Give a text in the one form in which names are compared.

    Example:
        >>> composed("a\u0308") == "\u00e4"
        True
    """
    return unicodedata.normalize("NFC", text)


def name_of_file(path: PurePath) -> str:
    """Give what a file is called: its name without suffix, composed.

    Example:
        >>> name_of_file(Path("fields/S1_dark.v2.tif"))
        'S1_dark.v2'
    """
    return composed(path.stem)


def not_text(name: str) -> str | None:
    """Say why tables cannot tell a name; None when it is text in UTF-8."""
    shown = name.encode(errors="backslashreplace").decode()
    if shown == name:
        return None
    return (
        f"{shown}: names must be text in UTF-8. Received: other bytes, as older "
        "programs write them."
    )


def spellings(pattern: str) -> set[str]:
    """Give a glob pattern in each form that the names on a disk may have."""
    return {unicodedata.normalize(form, pattern) for form in ("NFC", "NFD")}


def on_disk(folder: Path, below: str) -> Path:
    """Give a path as the disk spells it.

    Args:
        folder: Where it begins, spelled as it is.
        below: The rest; a part that is not there stays as it is.
    """
    found = folder
    for part in PurePath(below).parts:
        found = _entry(found, part)
    return found


def _entry(folder: Path, name: str) -> Path:
    entry = folder / name
    if name.isascii():
        return entry
    with contextlib.suppress(OSError, ValueError):  # no folder, or no name of a file
        same = [e for e in folder.iterdir() if composed(e.name) == composed(name)]
        if same and entry not in same:
            return same[0]
    return entry
