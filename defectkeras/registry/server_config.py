"""The file that tells TensorFlow Serving which versions it serves, and their labels.

It lies in the registry's root once `defectkeras deploy tf-serving` has put it there,
and is written anew whenever an alias moves or a version comes or goes. A server that
reads it every few seconds needs no restart: it loads a new version first, refuses to
move a label to a version that is not loaded yet, and moves it at a later reading.
That is why the versions that an alias meant shortly before stay listed.
"""

import re
from pathlib import Path

from defectkeras.core.files import write_whole
from defectkeras.registry.aliases import read_book
from defectkeras.registry.folders import find_versions, locked, told_plainly
from defectkeras.registry.names import is_name

SERVER_CONFIG = "models.config"

_RECENT_MOVES = 3
_BASE = re.compile(r"^# models below: (.*)$", re.MULTILINE)


def served_versions(folder: Path) -> tuple[int, ...]:
    """Give the versions of a model that a server should hold, rising.

    These are the two newest (the first of them may turn out damaged), those that an
    alias means, and those of the last three moves of each alias, so that a label can
    move and move back without a gap.

    Args:
        folder: A model's folder.
    """
    standing, book = find_versions(folder), read_book(folder)
    wanted = {*standing[-2:], *book.aliases.values()}
    for alias in book.aliases:
        moves = [move for move in book.history if move.alias == alias]
        for move in moves[-_RECENT_MOVES:]:
            wanted |= {move.to_version, move.from_version or move.to_version}
    return tuple(sorted(wanted & set(standing)))


def server_config_text(root: Path, base: str) -> str:
    """Give a ModelServerConfig in text form for all models of a registry.

    Args:
        root: The registry's folder.
        base: The same folder as the server sees it, absolute.
    """
    blocks = []
    for folder in sorted(p for p in root.iterdir() if is_name(p.name)):
        versions = served_versions(folder)
        if not versions:
            continue
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
        blocks.append("".join(f"    {line}\n" for line in lines))
    configs = "".join(f"  config {{\n{block}  }}\n" for block in blocks)
    return (
        "# Written by defectkeras, anew whenever an alias moves.\n"
        f"# models below: {base}\nmodel_config_list {{\n{configs}}}\n"
    )


def write_server_config(root: Path, base: str) -> Path:
    """Write the file into the registry's root, whole or not at all.

    Args:
        root: The registry's folder.
        base: The same folder as the server sees it, absolute.

    Returns:
        The file.

    Raises:
        RegistryError: When the registry cannot be written.
    """
    with told_plainly(root), locked(root):  # what is read must be what stands there
        write_whole(root / SERVER_CONFIG, server_config_text(root, base))
    return root / SERVER_CONFIG


def refresh_server_config(root: Path) -> None:
    """Write the file anew where it stands; do nothing elsewhere."""
    path = root / SERVER_CONFIG
    if path.exists():
        found = _BASE.search(path.read_text(encoding="utf-8"))
        write_server_config(root, found.group(1) if found else str(root.absolute()))
