"""Whether a published version is still what it was: its files, number, predictions."""

from defectkeras.core.errors import RegistryError
from defectkeras.registry.folders import find_collisions
from defectkeras.registry.load import check_predictions
from defectkeras.registry.manifest import require_undamaged
from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.version import ModelVersion


def verify_version(version: ModelVersion) -> dict[str, dict[str, float]]:
    """Check a version: its files, its number, and what it predicts.

    Every file is hashed, and the golden is computed again with both signatures and the
    `.keras` file, and in float64.

    Args:
        version: From `ModelRegistry.resolve`.

    Returns:
        Each of the three to how far it is off from float64, see `measure_rounding`.

    Raises:
        RegistryError: When something is wrong; the damage is named.
    """
    others = find_collisions(version.path.parent, version.version)
    if others:
        raise RegistryError(
            f"{version.reference} must be the only folder with its number, but "
            f"{', '.join(map(repr, others))} means the same to TensorFlow Serving. "
            "Remove it."
        )
    require_undamaged(version.path)
    return check_predictions(version.path)


def verify_aliases(registry: ModelRegistry, name: str) -> None:
    """Check that the aliases of a model can be read and mean versions that exist.

    Args:
        registry: Where the model is.
        name: Its name.

    Raises:
        RegistryError: When something is wrong; the alias is named.
    """
    versions, aliases = registry.versions(name), registry.aliases(name)
    for alias, number in aliases.items():
        if number not in versions:
            raise RegistryError(
                f"{name}@{alias} must mean a version that is there. Received: "
                f"{number}; known: {', '.join(map(str, versions))}. Move it with "
                "`defectkeras registry alias`."
            )
