"""Writing that is whole or not at all.

A file or a folder is written under a hidden temporary name beside its place
(the same file system), forced to the disk, and renamed. A reader never sees a
half-written result, and a crash leaves the old one.
"""

import contextlib
import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from defectkeras.core.errors import DefectKerasError

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says when the disk, or a user's share of it, is full."""

_LOCK = ".lock"
_HEX_DIGIT = "[0-9a-f]"


def sha256_of_file(path: Path) -> str:
    """Give the SHA-256 of a file's contents as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_path(path: Path) -> str:
    """Give the SHA-256 of a file, or of a folder's files with their names.

    Args:
        path: A file, or a folder such as one of OME-Zarr.
    """
    if not path.is_dir():
        return sha256_of_file(path)
    digest = hashlib.sha256()
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        name = file.relative_to(path).as_posix()
        digest.update(f"{name}\0{sha256_of_file(file)}\n".encode())
    return digest.hexdigest()


def require_free(path: Path, *, overwrite: bool) -> None:
    """Refuse to write over what is there, unless that is wanted.

    Args:
        path: Of a file or folder.
        overwrite: Whether that gives way.

    Raises:
        DefectKerasError: When something is there that may not give way.
    """
    if path.exists() and not overwrite:
        raise DefectKerasError(
            f"{path} exists. Name another, or say --overwrite to replace it."
        )


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all; an older file is replaced.

    Args:
        path: Where the file goes; its folder is made when it is missing.
        content: Text is written as UTF-8.
    """
    data = content.encode() if isinstance(content, str) else content
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all.

    Args:
        path: Where the file goes.
        value: Of dicts, lists, text, finite numbers, flags and None.

    Raises:
        ValueError: When a number is not finite (JSON has no NaN).
    """
    write_whole(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; on success it becomes `path`.

    Args:
        path: Where the file goes; its folder is made when it is missing. The
            temporary name ends as the name does, since writers look at its
            suffixes (Keras wants ".weights.h5").

    Raises:
        OSError: When it cannot be written; of a full disk with `path` as its file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(path)
    with _named_when_full(path):
        try:
            yield temporary
            sync(temporary)
            temporary.replace(path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary folder to fill; on success it becomes `path`.

    What killed processes have left of the same folder is removed.

    Args:
        path: Where the folder goes.
        replace: Whether an older folder gives way; it stays until the new one
            is complete.

    Raises:
        FileExistsError: When something stands at `path` and `replace` is false;
            asked before any work and after it.
        OSError: When it cannot be written; of a full disk with `path` as its file.
    """
    _refuse_existing(path, replace=replace)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    temporary = _temporary_beside(path)
    with _named_when_full(path), _lock(temporary):
        temporary.mkdir()
        try:
            yield temporary
            for entry in sorted(temporary.rglob("*")):
                sync(entry)
            sync(temporary)
            _refuse_existing(path, replace=replace)  # rename replaces an empty folder
            _move_into_place(temporary, path)
            sync(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _named_when_full(path: Path) -> Iterator[None]:
    """Name what could not be written; a full disk names no file, or a hidden one."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Tell others by a locked file beside a folder that someone is at work in it."""
    path = folder.with_name(folder.name + _LOCK)
    with path.open("w") as lock:
        try:
            with contextlib.suppress(OSError):  # not every file system has locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            path.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """Remove what processes that were killed have left of a folder.

    The system gives a lock back when its process ends, however that is.
    """
    names = f".{_HEX_DIGIT * 32}-{glob.escape(path.name[-40:])}"
    for lock_path in path.parent.glob(names + _LOCK):
        with contextlib.suppress(OSError), lock_path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
            lock_path.unlink()


def _move_into_place(temporary: Path, path: Path) -> None:
    """Rename a folder; an older one gives way, and comes back when that fails."""
    older = _temporary_beside(path)
    if path.exists():
        path.rename(older)
    try:
        temporary.rename(path)
    except OSError:
        if older.exists():
            older.rename(path)
        raise
    shutil.rmtree(older, ignore_errors=True)


def _temporary_beside(path: Path) -> Path:
    """Give a hidden name that no file system finds too long."""
    return path.with_name(f".{uuid.uuid4().hex}-{path.name[-40:]}")


def _refuse_existing(path: Path, *, replace: bool) -> None:
    if path.exists() and not replace:
        raise FileExistsError(f"{path} exists.")


def sync(path: Path) -> None:
    """Force a file's contents, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
