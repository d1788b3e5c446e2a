"""Aliases of versions, such as "production", and the history of their moves.

One file per model holds the aliases, the history, the tags and the highest version
number ever given; it is written whole or not at all, by one writer at a time.
"""

import dataclasses
import getpass
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import write_json
from defectkeras.core.strict import from_mapping
from defectkeras.registry.manifest import read_json

BOOK = "aliases.json"


@dataclass(frozen=True)
class AliasMove:
    """One line of the history.

    Attributes:
        alias: The alias.
        from_version: Where it was, or None when it is new.
        to_version: Where it is from then on.
        who: The user's name on that machine.
        when: UTC time, ISO 8601.
        why: The reason that was given, or "".
        is_rollback: Whether the alias went back to where it was before.
        gate: File name of the gate's record in "gates/", or None without a gate.
    """

    alias: str
    from_version: int | None
    to_version: int
    who: str
    when: str
    why: str
    is_rollback: bool = False
    gate: str | None = None


@dataclass(frozen=True)
class AliasBook:
    """The state of a model's folder that is not in its versions.

    Attributes:
        last_version: The highest number ever given; no number is given twice, also
            not after its version was deleted.
        aliases: Alias to version.
        history: Every move of an alias, the oldest first.
        tags: Version, as text, to its tags.
        schema: Number of this form.
    """

    last_version: int = 0
    aliases: dict[str, int] = field(default_factory=dict)
    history: tuple[AliasMove, ...] = ()
    tags: dict[str, Any] = field(default_factory=dict)
    schema: int = 1

    def move(
        self,
        alias: str,
        version: int,
        *,
        why: str,
        is_rollback: bool = False,
        gate: str | None = None,
    ) -> "AliasBook":
        """Give the book after a move of an alias; time and user are noted.

        Args:
            alias: The alias, new or old.
            version: The version that it means from now on.
            why: The reason, for the history.
            is_rollback: Whether it goes back to where it was before.
            gate: File name of the gate's record, or None.
        """
        move = AliasMove(
            alias=alias,
            from_version=self.aliases.get(alias),
            to_version=version,
            who=_user(),
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            why=why,
            is_rollback=is_rollback,
            gate=gate,
        )
        return dataclasses.replace(
            self,
            aliases={**self.aliases, alias: version},
            history=(*self.history, move),
        )

    def require_holder(self, alias: str, version: int | None) -> None:
        """Check that an alias means a version, or nothing, still.

        Raises:
            RegistryError: When it was moved meanwhile.
        """
        now = self.aliases.get(alias)
        if now != version:
            raise RegistryError(
                f"{alias} must mean {_told(version)} until the gate has decided. "
                f"Received: {_told(now)}, as it was moved meanwhile. Promote again, to "
                "compare with that."
            )

    def holder_before(self, alias: str) -> int | None:
        """Give the version that a rollback of an alias brings back, or None.

        A rollback undoes the last move that is not undone yet, so that a second one
        goes a step further back. Promoting again what an alias means already is no
        step.

        Example:
            >>> book = AliasBook()
            >>> for version in (1, 2, 3):
            ...     book = book.move("production", version, why="")
            >>> book = book.move("production", 2, why="", is_rollback=True)
            >>> book.holder_before("production")
            1
        """
        holders: list[int] = []
        for move in self.history:
            if move.alias != alias or move.from_version == move.to_version:
                continue
            if move.is_rollback:
                holders.pop()
            else:
                holders.append(move.to_version)
        return holders[-2] if len(holders) > 1 else None

    def tags_of(self, version: int) -> tuple[str, ...]:
        """Give the tags of a version, sorted."""
        return tuple(self.tags.get(str(version), ()))

    def retag(self, version: int, tags: Iterable[str]) -> "AliasBook":
        """Give the book with other tags for a version."""
        others = {v: t for v, t in self.tags.items() if v != str(version)}
        own = {str(version): sorted(set(tags))} if tags else {}
        return dataclasses.replace(self, tags={**others, **own})


def read_book(folder: Path) -> AliasBook:
    """Read the alias book of a model's folder; a missing one is an empty one.

    Raises:
        RegistryError: When it cannot be read or is not as it must be.
    """
    path = folder / BOOK
    if not path.exists():
        return AliasBook()
    table = read_json(path)
    book = from_mapping(AliasBook, table, where=str(path), error=RegistryError)
    if book.schema != 1 or not all(_is_version(v) for v in book.aliases.values()):
        raise RegistryError(
            f"{path} must have `schema` 1 and a version number for each alias. "
            "Mend or remove it."
        )
    return book


def write_book(book: AliasBook, folder: Path) -> None:
    """Write the alias book of a model's folder, whole or not at all."""
    write_json(folder / BOOK, dataclasses.asdict(book))


def _told(version: int | None) -> str:
    return "nothing" if version is None else f"version {version}"


def _is_version(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _user() -> str:
    """Give the user's name, or the number where it has none (in a container)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
