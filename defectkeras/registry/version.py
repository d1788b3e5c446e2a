"""A model version: a folder that never changes, and what is known about it."""

from dataclasses import dataclass
from pathlib import Path

from defectkeras.registry.card import ModelCard


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
