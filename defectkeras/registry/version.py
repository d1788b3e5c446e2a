"""A model version: a folder that never changes, and what is known about it."""

from dataclasses import dataclass
from pathlib import Path

from defectkeras.core.errors import RegistryError
from defectkeras.registry.card import ModelCard, read_card
from defectkeras.registry.manifest import read_manifest


@dataclass(frozen=True)
class ModelVersion:
    """One published version of a model.

    Attributes:
        name: Name of the model.
        version: Its number, from 1.
        path: The folder, as TensorFlow Serving reads it.
        card: What the model is, what it was trained on, and how good it is.
        sha256: 64 hexadecimal digits over all files, see `Manifest.sha256`.
    """

    name: str
    version: int
    path: Path
    card: ModelCard
    sha256: str

    @property
    def reference(self) -> str:
        """The reference that always means this version, such as "voids@3"."""
        return f"{self.name}@{self.version}"


def read_version(folder: Path, number: int) -> ModelVersion:
    """Read card and manifest of a version; its other files are not looked at.

    Args:
        folder: The folder of the model, named as it is.
        number: A version that stands there.

    Raises:
        RegistryError: When either is missing or damaged; the version is named.
    """
    path = folder / str(number)
    try:
        card, manifest = read_card(path), read_manifest(path)
    except RegistryError as error:
        raise RegistryError(
            f"{folder.name}@{number} must be as it was published, but: {error} "
            "Use another version, or remove that folder and import or copy it anew."
        ) from error
    return ModelVersion(folder.name, number, path, card, manifest.sha256)
