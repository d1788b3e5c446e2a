"""Writing that is whole or not at all.

A file or a folder is written under a hidden temporary name beside its place
(the same file system), forced to the disk, and renamed. A reader never sees a
half-written result, and a crash leaves the old one.
"""

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CHUNK_BYTES = 1 << 20


def sha256_of_file(path: Path) -> str:
    """Give the SHA-256 of a file's contents as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


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
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(path)
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

    Args:
        path: Where the folder goes.
        replace: Whether an older folder gives way; it stays until the new one
            is complete.

    Raises:
        FileExistsError: When something stands at `path` and `replace` is false;
            asked before any work and after it.
    """
    _refuse_existing(path, replace=replace)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_beside(path)
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
