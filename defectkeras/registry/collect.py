"""Versions that nobody needs any more, found first and removed on a second word."""

import contextlib
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from defectkeras.core.files import sync
from defectkeras.registry.aliases import AliasBook, read_book, write_book
from defectkeras.registry.folders import STAGING_PREFIX, locked, told_plainly
from defectkeras.registry.server_config import refresh_server_config
from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.version import ModelVersion

_DAY_S = 24 * 3600


@dataclass(frozen=True)
class Removable:
    """A version that `remove_version` would remove.

    Attributes:
        version: The version.
        size_bytes: Of its files.
        age_days: Since it was published.
    """

    version: ModelVersion
    size_bytes: int
    age_days: float


def find_removable(
    registry: ModelRegistry, name: str, *, older_than_days: float
) -> tuple[Removable, ...]:
    """Find the versions of a model that nothing holds.

    Held are: the newest version, those that an alias means or that a rollback of an
    alias would bring back, those with a tag, the parents of versions that stay, and
    those that are not older than the days given.

    Args:
        registry: Where to look.
        name: Name of the model.
        older_than_days: Least age, at least 0.

    Returns:
        The versions, the oldest first.

    Raises:
        RegistryError: When there is no such model.
    """
    numbers = registry.versions(name)
    versions = [registry.resolve(f"{name}@{number}") for number in numbers]
    held = _held(read_book(registry.root / name)) | {numbers[-1]}
    candidates = [v for v in versions if v.version not in held]
    old = [v for v in candidates if _age_days(v.path) >= older_than_days]
    parents = _parents_of_those_that_stay(registry, {v.reference for v in old})
    return tuple(
        Removable(v, _size_bytes(v.path), _age_days(v.path))
        for v in old
        if v.reference not in parents
    )


def remove_version(registry: ModelRegistry, version: ModelVersion) -> None:
    """Remove a version; its number is not given again.

    It loses its number by one rename first, so that a server never sees a part of
    it.

    Args:
        registry: Where it is.
        version: One that `find_removable` gave.

    Raises:
        ValueError: When an alias or a tag holds it by now.
        RegistryError: When the registry cannot be written.
    """
    folder = registry.root / version.name
    trash = folder / f"{STAGING_PREFIX}{uuid.uuid4().hex}"
    with told_plainly(folder), locked(folder):
        book = read_book(folder)
        if version.version in _held(book):
            raise ValueError(
                f"A version to remove must be held by nothing. Received: "
                f"{version.reference}."
            )
        write_book(book, folder)  # fails here where the folder is read-only
        version.path.rename(trash)
        sync(folder)
        refresh_server_config(registry.root)
    with contextlib.suppress(OSError):  # the next writer removes what is left
        shutil.rmtree(trash)


def _held(book: AliasBook) -> set[int]:
    """Give the versions that an alias means or would mean again, or with a tag."""
    before = {book.holder_before(alias) for alias in book.aliases}
    tagged = {int(version) for version in book.tags}
    return {*book.aliases.values(), *(v for v in before if v is not None), *tagged}


def _parents_of_those_that_stay(registry: ModelRegistry, leaving: set[str]) -> set[str]:
    """Give the parents, and theirs, of all versions in the registry that stay."""
    cards = {
        f"{name}@{number}": registry.resolve(f"{name}@{number}").card
        for name in registry.names()
        for number in registry.versions(name)
    }
    waiting = [c.parent for reference, c in cards.items() if reference not in leaving]
    parents: set[str] = set()
    while waiting:
        parent = waiting.pop()
        if parent is not None and parent not in parents:
            parents.add(parent)
            if parent in cards:
                waiting.append(cards[parent].parent)
    return parents


def _age_days(folder: Path) -> float:
    return max(0.0, time.time() - folder.stat().st_mtime) / _DAY_S


def _size_bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
