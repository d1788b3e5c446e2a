"""The file that tells TensorFlow Serving which versions it serves, and their labels.

It lies in the registry's root once `defectkeras deploy tf-serving` has put it there,
and is written anew whenever an alias moves or a version comes or goes. A server that
reads it every few seconds needs no restart: it loads a new version first, refuses to
move a label to a version that is not loaded yet, and moves it at a later reading.
That is why the versions that an alias meant shortly before stay listed.
"""

import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import write_whole
from defectkeras.registry.aliases import read_book
from defectkeras.registry.folders import find_versions, locked, told_plainly
from defectkeras.registry.manifest import is_whole
from defectkeras.registry.names import is_name

SERVER_CONFIG = "models.config"

_RECENT_MOVES = 3
_BASE = re.compile(r"^# models below: (.*)$", re.MULTILINE)
_BLOCK = re.compile(r'^  config {\n    name: "(.*)"\n(?:    .*\n)*  }\n', re.MULTILINE)


def served_versions(folder: Path) -> tuple[int, ...]:
    """Give the versions of a model that a server should hold, rising.

    These are the two newest (the first of them may turn out damaged) and the two newest
    that are whole, those that an alias means, and those of the last three moves of each
    alias, so that a label can move and move back without a gap.

    Args:
        folder: A model's folder.
    """
    standing, book = find_versions(folder), read_book(folder)
    whole = (v for v in reversed(standing) if is_whole(folder / str(v)))
    wanted = {*standing[-2:], *islice(whole, 2), *book.aliases.values()}
    for alias in book.aliases:
        moves = [move for move in book.history if move.alias == alias]
        for move in moves[-_RECENT_MOVES:]:
            wanted |= {move.to_version, move.from_version or move.to_version}
    return tuple(sorted(wanted & set(standing)))


def server_config_text(
    root: Path, base: str, before: Mapping[str, str] | None = None
) -> str:
    """Give a ModelServerConfig in text form for all models of a registry.

    Args:
        root: The registry's folder.
        base: The same folder as the server sees it, absolute.
        before: Name of a model to its block in the file until now; a model whose
            aliases cannot be read stays as it is there, so that its damage holds up
            no other model. None tells that damage.

    Raises:
        RegistryError: When the aliases of a model cannot be read.
    """
    blocks = []
    for folder in sorted(p for p in root.iterdir() if is_name(p.name)):
        try:
            blocks.append(_block(folder, base))
        except RegistryError:
            if before is None:
                raise
            blocks.append(before.get(folder.name, ""))
    return (
        "# Written by defectkeras, anew whenever an alias moves.\n"
        f"# models below: {base}\nmodel_config_list {{\n{''.join(blocks)}}}\n"
    )


def _block(folder: Path, base: str) -> str:
    """Give the entry of a model, without versions of which a file is missing."""
    versions = [v for v in served_versions(folder) if is_whole(folder / str(v))]
    if not versions:
        return ""
    labels = {a: v for a, v in read_book(folder).aliases.items() if v in versions}
    lines = [
        f'name: "{folder.name}"',
        f'base_path: "{base.rstrip("/")}/{folder.name}"',
        'model_platform: "tensorflow"',
        "model_version_policy { specific { "
        + " ".join(f"versions: {version}" for version in versions)
        + " } }",
        *(
            f'version_labels {{ key: "{alias}" value: {version} }}'
            for alias, version in sorted(labels.items())
        ),
    ]
    return "".join(["  config {\n", *(f"    {line}\n" for line in lines), "  }\n"])


def write_server_config(
    root: Path, base: str, before: Mapping[str, str] | None = None
) -> Path:
    """Write the file into the registry's root, whole or not at all.

    Args:
        root: The registry's folder.
        base: The same folder as the server sees it, absolute.
        before: See `server_config_text`.

    Returns:
        The file.

    Raises:
        RegistryError: When the registry cannot be written, or see there.
    """
    with told_plainly(root), locked(root):  # what is read must be what stands there
        text = server_config_text(root, base, before)
        write_whole(root / SERVER_CONFIG, text)
    return root / SERVER_CONFIG


def refresh_server_config(root: Path) -> None:
    """Write the file anew where it stands; do nothing elsewhere.

    Raises:
        RegistryError: When it cannot be written, which undoes nothing.
    """
    path = root / SERVER_CONFIG
    if path.exists():
        text = path.read_text(encoding="utf-8")
        found = _BASE.search(text)
        before = {block.group(1): block.group(0) for block in _BLOCK.finditer(text)}
        base = found.group(1) if found else str(root.absolute())
        try:
            write_server_config(root, base, before)
        except RegistryError as error:
            raise RegistryError(
                f"The change was made, but {path} must be written for a server to "
                f"follow it: {error.__cause__ or error}. Then write it by `defectkeras "
                "deploy tf-serving`."
            ) from error
