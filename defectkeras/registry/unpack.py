"""A tar archive from elsewhere, unpacked without trusting a word of it.

Only plain files with plain relative names are taken; sizes are bounded by what is
really written, not by what the archive claims.
"""

import tarfile
import unicodedata
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from defectkeras.core.errors import RegistryError

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class ArchiveLimits:
    """How much an archive may hold.

    Attributes:
        most_files: Number of members.
        most_bytes: Bytes of all files together, unpacked.
        most_ratio: Bytes unpacked for each byte of the archive. Weights hardly
            shrink; a bomb shrinks a thousandfold.
    """

    most_files: int = 1_000
    most_bytes: int = 4 * 2**30
    most_ratio: float = 100.0


def unpack_archive(
    archive: Path, folder: Path, *, limits: ArchiveLimits | None = None
) -> None:
    """Unpack a .tar, .tar.gz or .tar.xz into an empty folder.

    Args:
        archive: The archive.
        folder: Where its files go; it must exist and be empty.
        limits: How much it may hold; None takes the defaults.

    Raises:
        RegistryError: When it is no archive or cut short; a member is a link, a
            device or has a name that is absolute, leads out of the folder, holds
            control characters or is there twice (also when only the case differs,
            or one is a folder of the other); or it holds too much.
        OSError: When the folder cannot be written.
    """
    limits = limits or ArchiveLimits()
    most_bytes = min(
        limits.most_bytes, int(limits.most_ratio * archive.stat().st_size) + 2**20
    )
    try:
        with tarfile.open(archive) as tar:
            _unpack_members(tar, archive, folder, limits, most_bytes)
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        raise RegistryError(
            f"{archive} must be a whole .tar or .tar.gz, but: {reason}. Get it again."
        ) from error


def _unpack_members(
    tar: tarfile.TarFile,
    archive: Path,
    folder: Path,
    limits: ArchiveLimits,
    most_bytes: int,
) -> None:
    taken: set[str] = set()
    room = most_bytes
    for number, member in enumerate(tar):
        if number >= limits.most_files:
            raise RegistryError(
                f"{archive} must hold at most {limits.most_files} files. It has more."
            )
        if member.isdir():
            continue  # folders come with their files
        name = _require_plain(member, archive)
        _require_new(name, taken, archive)
        source = tar.extractfile(member)
        if source is None:
            raise RegistryError(f"{archive}: {str(name)!r} has no contents.")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        room -= _copy(source, target, room, archive, most_bytes)


def _require_plain(member: tarfile.TarInfo, archive: Path) -> PurePosixPath:
    """Give the name of a plain file that stays inside the folder."""
    name = PurePosixPath(member.name)
    is_safe = (
        member.isreg()
        and not name.is_absolute()
        and name.parts
        and ".." not in name.parts
        and len(member.name) <= 400
        and not any(c in "\\:" or ord(c) < 32 or ord(c) == 127 for c in member.name)
    )
    if not is_safe:
        link = "the link " if member.issym() or member.islnk() else ""
        raise RegistryError(
            f"{archive} must hold only plain files with relative names. Received: "
            f"{link}{member.name[:80]!r}. Do not use this archive."
        )
    return name


def _require_new(name: PurePosixPath, taken: set[str], archive: Path) -> None:
    """Note a name; neither it nor a folder of it may be the name of another file."""
    folded = unicodedata.normalize("NFKC", str(name)).casefold()
    parents = [str(p) for p in PurePosixPath(folded).parents if str(p) != "."]
    clashes = folded in taken or f"{folded}/" in taken
    if clashes or any(parent in taken for parent in parents):
        raise RegistryError(
            f"{archive} must hold each name once, whatever its case. Received twice: "
            f"{str(name)[:80]!r}. Do not use this archive."
        )
    taken.add(folded)
    taken.update(f"{parent}/" for parent in parents)


def _copy(
    source: IO[bytes], target: Path, room: int, archive: Path, most_bytes: int
) -> int:
    """Write what a member really holds, up to the room that is left."""
    written = 0
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > room:
                raise RegistryError(
                    f"{archive} must unpack to at most {most_bytes / 2**20:.0f} MiB. "
                    "It holds more. Do not use this archive."
                )
            file.write(chunk)
    return written
