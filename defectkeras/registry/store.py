"""The registry: the folder where every published model version lies.

saved_models/<name>/aliases.json         aliases, their history, the last number
saved_models/<name>/<version>/           a SavedModel, never changed
    assets.extra/defectkeras/            card, `.keras` file, golden, manifest
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from defectkeras.core.arrays import Image
from defectkeras.core.errors import RegistryError
from defectkeras.core.names import suggestion
from defectkeras.registry.aliases import AliasMove, read_book, write_book
from defectkeras.registry.card import ModelCard
from defectkeras.registry.folders import (
    find_versions,
    locked,
    publish_folder,
    staging_folder,
    told_plainly,
)
from defectkeras.registry.manifest import require_undamaged
from defectkeras.registry.names import (
    WHERE_MODELS_ARE,
    ModelReference,
    is_name,
    parse_reference,
    require_alias,
    require_name,
)
from defectkeras.registry.server_config import refresh_server_config
from defectkeras.registry.version import ModelVersion, read_version

if TYPE_CHECKING:
    import keras

__all__ = ["ModelRegistry", "ModelVersion", "default_registry_root"]


def default_registry_root() -> Path:
    """Give the folder in DEFECTKERAS_REGISTRY, or "saved_models" where one stands."""
    return Path(os.environ.get("DEFECTKERAS_REGISTRY") or "saved_models")


class ModelRegistry:
    """The model versions below one folder.

    Args:
        root: The folder; it need not exist. None takes `default_registry_root()`.

    Example:
        >>> registry = ModelRegistry(Path("no such folder"))
        >>> registry.names()
        ()
        >>> registry.resolve("voids")
        Traceback (most recent call last):
        defectkeras.core.errors.RegistryError: No model 'voids' in the registry \
'no such folder'. There is none yet. Those that come with defectkeras are in \
saved_models/ of its source: name that folder by --registry or DEFECTKERAS_REGISTRY, \
or make a model with `defectkeras train`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = default_registry_root() if root is None else Path(root)

    def names(self) -> tuple[str, ...]:
        """Give the names of the models that have a version, sorted."""
        if not self.root.is_dir():
            return ()
        folders = sorted(p for p in self.root.iterdir() if is_name(p.name))
        return tuple(p.name for p in folders if find_versions(p))

    def versions(self, name: str) -> tuple[int, ...]:
        """Give the version numbers of a model, rising.

        Raises:
            RegistryError: When there is no such model; the nearest name is told.
        """
        found = find_versions(self.root / require_name(name))
        if not found:
            known = self.names()
            another = "Another registry is named by --registry or DEFECTKERAS_REGISTRY."
            raise RegistryError(
                f"No model {name!r} in the registry {str(self.root)!r}."
                f"{suggestion(name, known)} {another if known else WHERE_MODELS_ARE}"
            )
        return found

    def aliases(self, name: str) -> dict[str, int]:
        """Give the aliases of a model: alias to version number.

        Raises:
            RegistryError: When there is no such model.
        """
        self.versions(name)
        return dict(sorted(read_book(self.root / name).aliases.items()))

    def alias_history(self, name: str) -> tuple[AliasMove, ...]:
        """Give every move of an alias of a model, the oldest first.

        Raises:
            RegistryError: When there is no such model.
        """
        self.versions(name)
        return read_book(self.root / name).history

    def resolve(self, reference: str) -> ModelVersion:
        """Find the version that a reference means; TensorFlow is not needed.

        Args:
            reference: "name" (its newest version), "name@3" or "name@alias".

        Raises:
            RegistryError: When it means nothing here; the nearest name is told. When
                the card or the manifest of the version is damaged.
        """
        wanted = parse_reference(reference)
        version = self._find_number(wanted)
        return read_version(self.root / wanted.name, version)

    def publish(
        self,
        name: str,
        model: "keras.Model",
        card: ModelCard,
        *,
        golden_image: Image,
        extra_files: Mapping[str, Path | bytes] | None = None,
    ) -> ModelVersion:
        """Publish a model as the next version, whole or not at all.

        The export is loaded again and must give what the Keras model gives before
        it gets a number. Several writers may publish at the same time.

        Args:
            name: Name of the model, that of the card.
            model: (B, H, W, 1) to logits (B, H, W, K).
            card: What is told about it.
            golden_image: (H, W) raw grey levels, best a micrograph with every class.
            extra_files: File name to contents or to a file that is copied, such as
                "dataset_spec.toml"; for assets.extra/defectkeras/.

        Returns:
            The new version.

        Raises:
            RegistryError: When the registry cannot be written, model and card do
                not fit together, or the export is not sound.
        """
        from defectkeras.registry.bundle import write_bundle  # needs TensorFlow

        if card.name != require_name(name):
            raise ValueError(f"`name` must be the card's. Received: {name!r}.")
        folder = self.root / name
        with told_plainly(folder), staging_folder(folder) as staging:
            write_bundle(
                model,
                card,
                staging,
                golden_image=golden_image,
                extra_files=extra_files or {},
            )
            version = publish_folder(staging)
            refresh_server_config(self.root)
        return self.resolve(f"{name}@{version}")

    def set_alias(
        self,
        name: str,
        alias: str,
        version: int,
        *,
        why: str = "",
        gate: str | None = None,
        compared_with: int | None = None,
    ) -> AliasMove:
        """Let an alias mean a version from now on; the move is kept in the history.

        Args:
            name: Name of the model.
            alias: The alias, new or old, such as "production".
            version: A version that exists.
            why: The reason, for the history.
            gate: File name of the gate's record, for the history.
            compared_with: What the alias meant at the gate, and must mean still.

        Returns:
            The move, with what the alias meant until then.

        Raises:
            RegistryError: When the alias is not well formed, there is no such
                version, a file of it is damaged, the alias has moved since it passed
                the gate, or the registry cannot be written.
        """
        require_alias(alias)
        with self._changing(name) as folder:
            self._require_sound(name, version)
            book = read_book(folder)
            if gate is not None:
                book.require_holder(alias, compared_with)
            book = book.move(alias, version, why=why, gate=gate)
            write_book(book, folder)
        return book.history[-1]

    def rollback(self, name: str, alias: str, *, why: str = "") -> AliasMove:
        """Let an alias mean again what it meant before its last move.

        Args:
            name: Name of the model.
            alias: An alias that was moved.
            why: The reason, for the history.

        Returns:
            The move, from what the alias meant to what it means now.

        Raises:
            RegistryError: When the alias meant nothing before, that version is
                gone or damaged, or the registry cannot be written.
        """
        with self._changing(name) as folder:
            before = self.version_before(name, alias)
            self._require_sound(name, before)
            book = read_book(folder).move(alias, before, why=why, is_rollback=True)
            write_book(book, folder)
        return book.history[-1]

    def version_before(self, name: str, alias: str) -> int:
        """Give the version that a rollback of an alias would bring back.

        Raises:
            RegistryError: When the alias meant nothing before.
        """
        now = self._find_number(ModelReference(name, alias=alias))
        before = read_book(self.root / name).holder_before(alias)
        if before is None:
            raise RegistryError(
                f"{name}@{alias} must have a move to take back. Received: none that is "
                f"not taken back already; it means {now}. `defectkeras registry "
                f"history {name}` tells its moves, `registry promote` makes another."
            )
        return before

    def tags(self, version: ModelVersion) -> tuple[str, ...]:
        """Give the tags of a version, sorted."""
        return read_book(self.root / version.name).tags_of(version.version)

    def change_tags(
        self, version: ModelVersion, give: Iterable[str] = (), take: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """Give a version tags and take others away; what else it has stays.

        Args:
            version: From `resolve`.
            give: Each formed like an alias, such as "keep".
            take: Those that go.

        Returns:
            All that it has now, sorted.

        Raises:
            RegistryError: When a tag is not well formed, or the registry cannot be
                written.
        """
        given = {require_alias(tag, what="A tag") for tag in give}
        with self._changing(version.name) as folder:
            book = read_book(folder)
            tags = ({*book.tags_of(version.version)} | given) - {*take}
            write_book(book.retag(version.version, tags), folder)
        return tuple(sorted(tags))

    @contextlib.contextmanager
    def _changing(self, name: str) -> Iterator[Path]:
        """Give the folder of a model that exists, other writers kept out."""
        self.versions(name)
        folder = self.root / name
        with told_plainly(folder), locked(folder):
            yield folder
            refresh_server_config(self.root)

    def _require_sound(self, name: str, version: int) -> None:
        """Check that a version exists and its files are those that were published."""
        self._find_number(ModelReference(name, version=version))
        require_undamaged(self.root / name / str(version))

    def _find_number(self, wanted: ModelReference) -> int:
        """Give the number of a version that exists."""
        aliases = {} if wanted.alias is None else self.aliases(wanted.name)
        return wanted.find(self.versions(wanted.name), aliases)
