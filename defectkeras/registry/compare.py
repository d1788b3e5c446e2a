"""What differs between two versions, and where a version comes from."""

from dataclasses import dataclass
from typing import Any

from defectkeras.core.errors import RegistryError
from defectkeras.core.strict import leaves
from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.version import ModelVersion


@dataclass(frozen=True)
class Difference:
    """One entry of the model cards that differs.

    Attributes:
        key: Where it stands, such as "config.loss" or "metrics.scores.iou/void".
        first: Its value in the first version; None where it has none.
        second: Its value in the second version.
    """

    key: str
    first: Any
    second: Any


def diff_versions(first: ModelVersion, second: ModelVersion) -> tuple[Difference, ...]:
    """Compare the model cards of two versions, config and metrics among them.

    Args:
        first: From `ModelRegistry.resolve`.
        second: Another one, of the same model or not.

    Returns:
        Every entry that differs, in the order of the cards.
    """
    one, other = (dict(leaves(v.card.to_dict())) for v in (first, second))
    keys = [*one, *(key for key in other if key not in one)]
    return tuple(
        Difference(key, one.get(key), other.get(key))
        for key in keys
        if one.get(key) != other.get(key)
    )


@dataclass(frozen=True)
class Ancestor:
    """One step of where a version comes from.

    Attributes:
        reference: Such as "voids@2".
        version: The version, or None when it is no longer in this registry.
    """

    reference: str
    version: ModelVersion | None


def trace_lineage(
    registry: ModelRegistry, version: ModelVersion
) -> tuple[Ancestor, ...]:
    """Follow the parents of a version back to one that was trained from scratch.

    Args:
        registry: Where the parents are looked for.
        version: From `ModelRegistry.resolve`.

    Returns:
        The version itself first, then its parent, and so on; the last one may be
        missing in this registry.
    """
    chain = [Ancestor(version.reference, version)]
    parent = version.card.parent
    while parent is not None and parent not in {a.reference for a in chain}:
        chain.append(Ancestor(parent, _find(registry, parent)))
        found = chain[-1].version
        parent = None if found is None else found.card.parent
    return tuple(chain)


def _find(registry: ModelRegistry, reference: str) -> ModelVersion | None:
    try:
        return registry.resolve(reference)
    except RegistryError:
        return None
