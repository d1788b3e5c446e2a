"""A version as one file, to be carried to another registry.

The archive is a .tar.gz of the version's folder below "<name>/<version>/". The
manifest inside tells the SHA-256 of every file. The same version always gives the
same bytes.
"""

import gzip
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from defectkeras.core.errors import RegistryError
from defectkeras.core.files import whole_file
from defectkeras.registry.card import ModelCard, read_card
from defectkeras.registry.folders import (
    find_versions,
    publish_folder,
    staging_folder,
    told_plainly,
)
from defectkeras.registry.manifest import (
    find_damage,
    read_manifest,
    require_undamaged,
)
from defectkeras.registry.names import require_name
from defectkeras.registry.server_config import refresh_server_config
from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.unpack import unpack_archive
from defectkeras.registry.version import ModelVersion, read_version


@dataclass(frozen=True)
class ArchivedVersion:
    """An unpacked archive, before it gets a number.

    Attributes:
        folder: The files, all as its manifest says.
        card: Its model card.
        sha256: Over all files, see `Manifest.sha256`.
        unusual: What its graph may do beyond computing, one text each, such as
            "operation ReadFile in serving_default"; empty for an ordinary model.
    """

    folder: Path
    card: ModelCard
    sha256: str
    unusual: tuple[str, ...]


def export_archive(version: ModelVersion, path: Path) -> None:
    """Write a version into one .tar.gz file, whole or not at all.

    Args:
        version: From `ModelRegistry.resolve`; its files are checked first.
        path: The file; it must not exist.

    Raises:
        RegistryError: When the version is damaged, or the file exists or cannot be
            written.
    """
    require_undamaged(version.path)
    if path.exists():
        raise RegistryError(f"{path} must not exist yet. Choose another name.")
    files = sorted(p for p in version.path.rglob("*") if p.is_file())
    prefix = Path(version.name, str(version.version))
    try:
        with (
            whole_file(path) as temporary,
            temporary.open("wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for file in files:
                member = tarfile.TarInfo(str(prefix / file.relative_to(version.path)))
                member.size, member.mode = file.stat().st_size, 0o644
                with file.open("rb") as content:
                    tar.addfile(member, content)
    except OSError as error:
        raise RegistryError(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def opened_archive(archive: Path) -> Iterator[ArchivedVersion]:
    """Unpack an archive into a temporary folder and look at it; nothing is run.

    Raises:
        RegistryError: When it is not safe to unpack, not a version of ours, or
            damaged.
    """
    from defectkeras.registry.safe_config import find_foreign_classes
    from defectkeras.registry.saved_model.operations import find_unusual_operations

    with tempfile.TemporaryDirectory(prefix="defectkeras-") as name:
        try:
            unpack_archive(archive, Path(name))
        except OSError as error:
            raise RegistryError(
                f"{archive} cannot be unpacked: {error.strerror or error}. Make room "
                f"in {tempfile.gettempdir()}, or name another folder by TMPDIR."
            ) from error
        folder = _only_version(Path(name), archive)
        with _told_of(archive, folder):
            if damage := find_damage(folder):
                raise RegistryError(
                    f"{archive} must hold a version as it was published, but "
                    f"{'; '.join(damage)}. Get it again."
                )
            card = read_card(folder)
            unusual = (*find_unusual_operations(folder), *find_foreign_classes(folder))
            yield ArchivedVersion(folder, card, read_manifest(folder).sha256, unusual)


@contextmanager
def _told_of(archive: Path, folder: Path) -> Iterator[None]:
    """Tell what is wrong with an unpacked version as of its archive, which stays."""
    try:
        yield
    except RegistryError as error:
        told = str(error).replace(f"{folder}/", f"{archive}: ")
        raise RegistryError(told.replace(str(folder), str(archive))) from error


def import_archive(
    registry: ModelRegistry, archive: Path, *, trust: bool
) -> ModelVersion:
    """Publish the version in an archive as the next version of a registry.

    A version that is there already, undamaged and with the same SHA-256, is given
    back instead.

    Args:
        registry: Where it goes.
        archive: From `export_archive`.
        trust: Whether you know where it comes from. A SavedModel is a program:
            loading it runs it.

    Raises:
        RegistryError: When it is not trusted, not safe, damaged, does not give its
            golden output, or the registry cannot be written.
    """
    from defectkeras.registry.load import check_predictions

    with opened_archive(archive) as archived:
        known = find_same(registry, archived)
        if known is not None:
            return known
        require_trust(archive, archived, trust=trust)
        check_predictions(archived.folder)
        target = registry.root / require_name(archived.card.name)
        with told_plainly(target), staging_folder(target) as staging:
            shutil.copytree(archived.folder, staging, dirs_exist_ok=True)
            require_undamaged(staging)
            version = publish_folder(staging)
            refresh_server_config(registry.root)
    return registry.resolve(f"{archived.card.name}@{version}")


def find_same(
    registry: ModelRegistry, archived: ArchivedVersion
) -> ModelVersion | None:
    """Find the version of a registry with the same files, none damaged, or None."""
    folder = registry.root / archived.card.name
    for number in find_versions(folder):
        with suppress(RegistryError):
            version = read_version(folder, number)
            if version.sha256 == archived.sha256 and not find_damage(version.path):
                return version
    return None


def require_trust(archive: Path, archived: ArchivedVersion, *, trust: bool) -> None:
    """Refuse an archive that the user does not vouch for.

    Raises:
        RegistryError: Without trust; what the graph would do is told.
    """
    if trust:
        return
    found = "; ".join(archived.unusual[:8]) or "nothing beyond computing was found"
    raise RegistryError(
        f"{archive} holds a SavedModel, which is a program. In its graph: {found}. "
        "Import it with --trust when you know who made it."
    )


def _only_version(folder: Path, archive: Path) -> Path:
    """Give the folder "<name>/<version>" that an archive holds."""
    found = [p for p in folder.glob("*/*") if p.is_dir()]
    if len(found) != 1 or len(list(folder.iterdir())) != 1:
        raise RegistryError(
            f"{archive} must hold one version, as `defectkeras registry export` "
            f"writes it. Received: {sorted(p.name for p in folder.iterdir())[:5]}."
        )
    return found[0]
