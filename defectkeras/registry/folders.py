"""Folders of versions: whole or not at all, and no number twice.

A version is filled in a hidden folder beside its place, which TensorFlow Serving
passes by, forced to the disk, and then gets its number by one `rename`. So every
folder with a number is complete, whenever the writer is killed.
"""

import contextlib
import dataclasses
import errno
import fcntl
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import sync
from defectkeras.registry.aliases import read_book, write_book
from defectkeras.registry.names import parse_served_version, parse_version

STAGING_PREFIX = ".staging-"
_STALE_AFTER_S = 24 * 3600
_MAX_VERSION = 10**18 - 1


def find_versions(folder: Path) -> tuple[int, ...]:
    """Give the version numbers in a model's folder, rising; none without a folder."""
    if not folder.is_dir():
        return ()
    numbers = (parse_version(p.name) for p in folder.iterdir() if p.is_dir())
    return tuple(sorted(n for n in numbers if n is not None))


def find_collisions(folder: Path, version: int) -> tuple[str, ...]:
    """Give the other names in a model's folder that mean the same to the server.

    Args:
        folder: A model's folder.
        version: One of its versions.

    Returns:
        Names such as "003" beside "3"; TensorFlow Serving would take any of them.
    """
    names = sorted(p.name for p in folder.iterdir())
    return tuple(
        name
        for name in names
        if parse_served_version(name) == version and name != str(version)
    )


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other writers out of a model's folder; waits for them first."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def told_plainly(folder: Path) -> Iterator[None]:
    """Tell a full disk or a missing permission as a RegistryError."""
    try:
        yield
    except OSError as error:
        raise RegistryError(
            f"The registry must be writable at {folder}, but: {_reason(error)}. "
            "Nothing was changed; make room or choose another folder with "
            "--registry or DEFECTKERAS_REGISTRY."
        ) from error


def _reason(error: OSError) -> str:
    """Say what went wrong; a copied folder tells each of its files."""
    if isinstance(error, shutil.Error):
        (_, _, reason), *_ = error.args[0]
        told = str(reason).partition(": '")[0]
    else:
        told = error.strerror or str(error)
    return re.sub(r"^\[Errno \d+\] ", "", told)


@contextlib.contextmanager
def staging_folder(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to fill; it is gone afterwards unless it was published.

    Folders that a killed writer left more than a day ago are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _remove_stale(folder)
    staging = folder / f"{STAGING_PREFIX}{uuid.uuid4().hex}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def require_writable(folder: Path) -> None:
    """Find out before hours of work whether a version can be published.

    Args:
        folder: A model's folder; it is made.

    Raises:
        RegistryError: When it cannot be written.
    """
    with told_plainly(folder), staging_folder(folder):
        pass


def publish_folder(staging: Path) -> int:
    """Give a filled staging folder the next number.

    The number is noted before it is used, so that it is not given again even when
    the writer is killed in between or the version is deleted later.

    Args:
        staging: From `staging_folder`, complete.

    Returns:
        The number; the folder of this name stands beside the staging folder.

    Raises:
        OSError: When the registry cannot be written.
        RegistryError: When there is no next number.
    """
    for entry in sorted(staging.rglob("*")):
        sync(entry)
    sync(staging)
    folder = staging.parent
    with locked(folder):
        version = _take_number(folder)
        while not _rename(staging, folder / str(version)):
            version = _take_number(folder)
        sync(folder)
    return version


def _take_number(folder: Path) -> int:
    """Note and give a number above all that were given or that stand there."""
    book = read_book(folder)
    standing = (parse_served_version(p.name) for p in folder.iterdir())
    version = max([book.last_version, 0, *(n for n in standing if n is not None)]) + 1
    if version > _MAX_VERSION:
        raise RegistryError(
            f"{folder} must have version numbers up to {_MAX_VERSION - 1} to take "
            f"another. Received: {version - 1}. Rename that folder."
        )
    write_book(dataclasses.replace(book, last_version=version), folder)
    return version


def _rename(source: Path, target: Path) -> bool:
    """Rename a folder with files, or say that something stands at the target.

    `rename` replaces an empty folder without a word, which harms nobody here: the
    number was free under the lock, and an empty folder is no version.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            return False
        raise
    return True


def _remove_stale(folder: Path) -> None:
    """Remove what writers left that were killed more than a day ago."""
    for path in folder.glob(".*-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime < _STALE_AFTER_S:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
