"""Aliases of versions, such as "production", and the history of their moves.

One file per model holds the aliases, the history and the highest version number
ever given; it is written whole or not at all, by one writer at a time.
"""

import dataclasses
import getpass
import os
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
    """

    alias: str
    from_version: int | None
    to_version: int
    who: str
    when: str
    why: str


@dataclass(frozen=True)
class AliasBook:
    """The state of a model's folder that is not in its versions.

    Attributes:
        last_version: The highest number ever given; no number is given twice, also
            not after its version was deleted.
        aliases: Alias to version.
        history: Every move of an alias, the oldest first.
        schema: Number of this form.
    """

    last_version: int = 0
    aliases: dict[str, int] = field(default_factory=dict)
    history: tuple[AliasMove, ...] = ()
    schema: int = 1

    def move(self, alias: str, version: int, *, why: str) -> "AliasBook":
        """Give the book after a move of an alias; time and user are noted.

        Args:
            alias: The alias, new or old.
            version: The version that it means from now on.
            why: The reason, for the history.
        """
        move = AliasMove(
            alias=alias,
            from_version=self.aliases.get(alias),
            to_version=version,
            who=_user(),
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            why=why,
        )
        return dataclasses.replace(
            self,
            aliases={**self.aliases, alias: version},
            history=(*self.history, move),
        )


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


def _is_version(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _user() -> str:
    """Give the user's name, or the number where it has none (in a container)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
