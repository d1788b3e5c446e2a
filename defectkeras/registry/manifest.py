"""The manifest of a version: which files it has, and the SHA-256 of each.

It shows damage: a file that is missing, changed or was not there at publishing. It
does not show who wrote the files, so it is no protection from someone who can write
into the registry.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import sha256_of_file, write_json
from defectkeras.core.strict import from_mapping

EXTRA_FOLDER = Path("assets.extra", "defectkeras")
"""Our files in a version's folder; TensorFlow Serving passes them by."""

MANIFEST = EXTRA_FOLDER / "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """The files of a version.

    Attributes:
        files: Path inside the version's folder, with "/", to 64 hexadecimal digits;
            of every file but the manifest itself.
        schema: Number of this form.
    """

    files: Mapping[str, str]
    schema: int = field(default=1, kw_only=True)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the version: of the sorted lines "<digits>  <path>".

        The lines are those of the tool sha256sum, so that anyone can check it.

        Example:
            >>> Manifest({"b": "11", "a": "00"}).sha256[:8]
            '0c7e019c'
        """
        lines = (f"{digits}  {path}\n" for path, digits in sorted(self.files.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_manifest(folder: Path) -> Manifest:
    """Hash every file of a version's folder and write the manifest into it."""
    manifest = Manifest(_hash_files(folder))
    write_json(
        folder / MANIFEST, {"schema": manifest.schema, "files": dict(manifest.files)}
    )
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a version's folder.

    Raises:
        RegistryError: When it is missing or not as it must be.
    """
    path = folder / MANIFEST
    manifest = from_mapping(
        Manifest, read_json(path), where=str(path), error=RegistryError
    )
    if manifest.schema != 1 or not all(
        isinstance(digits, str) for digits in manifest.files.values()
    ):
        raise RegistryError(
            f"{path} must have `schema` 1 and a SHA-256 for each file. "
            "Publish the model again."
        )
    return manifest


def find_damage(folder: Path) -> tuple[str, ...]:
    """Hash the files of a version again and compare with its manifest.

    Args:
        folder: A version's folder.

    Returns:
        One text for each missing, changed or foreign file, such as
        "variables/variables.index is missing"; empty for a sound version.

    Raises:
        RegistryError: When there is no manifest to compare with.
    """
    expected, found = read_manifest(folder).files, _hash_files(folder)
    damage = []
    for path in sorted({*expected, *found}):
        if path not in found:
            damage.append(f"{path} is missing")
        elif path not in expected:
            damage.append(f"{path} does not belong there")
        elif found[path] != expected[path]:
            damage.append(f"{path} was changed")
    return tuple(damage)


def is_whole(folder: Path) -> bool:
    """Tell whether all files of a version are there; they are not hashed.

    A folder that somebody is still copying is not whole.
    """
    try:
        return all((folder / path).is_file() for path in read_manifest(folder).files)
    except RegistryError:
        return False


def require_undamaged(folder: Path) -> None:
    """Check the files of a version against its manifest.

    Raises:
        RegistryError: When a file is missing, changed or foreign; all are named.
    """
    damage = find_damage(folder)
    if damage:
        raise RegistryError(
            f"{folder} must be as it was published, but {'; '.join(damage)}. "
            "Use another version, or publish the model again."
        )


def read_json(path: Path) -> Any:
    """Read a JSON file of the registry.

    Raises:
        RegistryError: When it cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise RegistryError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{path} must be JSON, but: {error}.") from error


def _hash_files(folder: Path) -> dict[str, str]:
    """Give path and SHA-256 of each file; what is no plain file has no SHA-256."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            hashes[name] = "no plain file"
        elif path.is_file() and name != MANIFEST.as_posix():
            hashes[name] = _hash_file(path)
    return hashes


def _hash_file(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise RegistryError(f"{path} cannot be read: {error.strerror}.") from error
