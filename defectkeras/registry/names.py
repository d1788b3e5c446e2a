"""Names of models, aliases and versions, and references to them.

A model name is also a folder name, a part of a URL and an argument of a command,
so it is kept to a small alphabet that is safe in all three; an alias is kept to the
alphabet that TensorFlow Serving documents for version labels.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from defectkeras.core.errors import RegistryError
from defectkeras.core.names import suggestion

WHERE_MODELS_ARE = (
    "Those that come with defectkeras are in saved_models/ of its source: name that "
    "folder by --registry or DEFECTKERAS_REGISTRY, or make a model with `defectkeras "
    "train`."
)
"""For a user whose registry is empty."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ALIAS = re.compile(r"[a-z][a-z0-9_]{0,63}")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_SERVED = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)[ \t\n\v\f\r]*")
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class ModelReference:
    """What a user means by "name", "name@3" or "name@alias".

    Attributes:
        name: Name of the model.
        version: The number, or None.
        alias: The alias, or None; without either the newest version is meant.
    """

    name: str
    version: int | None = None
    alias: str | None = None

    def find(self, versions: Sequence[int], aliases: Mapping[str, int]) -> int:
        """Give the number of the version that is meant.

        Args:
            versions: Those that the model has, rising.
            aliases: Its aliases to version numbers; not asked without an alias.

        Raises:
            RegistryError: When there is no such alias or version.

        Example:
            >>> ModelReference("voids", alias="best").find((1, 2), {"best": 1})
            1
        """
        number = self.version
        if self.alias is not None:
            if self.alias not in aliases:
                raise RegistryError(
                    f"{self.name} has no alias {self.alias!r}."
                    f"{suggestion(self.alias, aliases)}"
                )
            number = aliases[self.alias]
        if number is None:
            return versions[-1]
        if number not in versions:
            raise RegistryError(
                f"{self.name} has no version {number}. "
                f"Known: {', '.join(map(str, versions))}."
            )
        return number


def is_name(name: str) -> bool:
    """Tell whether a model name is well formed.

    Example:
        >>> is_name("voids"), is_name("Voids"), is_name("../voids")
        (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


def require_name(name: str, *, what: str = "A model name") -> str:
    """Give a model name back when it is well formed.

    Raises:
        RegistryError: When it is not.

    Example:
        >>> require_name("voids-dci_stem2")
        'voids-dci_stem2'
    """
    if not is_name(name):
        raise RegistryError(
            f"{what} must begin with a lower-case letter and hold at most 64 "
            f"lower-case letters, digits, '-' and '_'. Received: {name!r}."
        )
    return name


def require_alias(alias: str, *, what: str = "An alias") -> str:
    """Give an alias, or a tag, back when it is well formed.

    Raises:
        RegistryError: When it is not.

    Example:
        >>> require_alias("production")
        'production'
    """
    if not _ALIAS.fullmatch(alias):
        raise RegistryError(
            f"{what} must begin with a lower-case letter and hold at most 64 "
            f"lower-case letters, digits and '_'. Received: {alias!r}."
        )
    return alias


def parse_reference(text: str) -> ModelReference:
    """Read a model reference.

    Args:
        text: "name" (the newest version), "name@3" or "name@alias".

    Raises:
        RegistryError: When name, version or alias is not well formed.

    Example:
        >>> parse_reference("voids@3")
        ModelReference(name='voids', version=3, alias=None)
        >>> parse_reference("voids@production").alias
        'production'
    """
    name, at, rest = text.partition("@")
    require_name(name)
    if not at:
        return ModelReference(name)
    version = parse_version(rest)
    if version is not None:
        return ModelReference(name, version=version)
    return ModelReference(name, alias=require_alias(rest))


def parse_version(text: str) -> int | None:
    """Give the number of a version folder of ours, or None for any other name.

    Example:
        >>> parse_version("12"), parse_version("012"), parse_version("v3")
        (12, None, None)
    """
    return int(text) if _VERSION.fullmatch(text) else None


def parse_served_version(text: str) -> int | None:
    """Give the number that TensorFlow Serving reads from a folder name, or None.

    It takes leading zeros, a sign and blanks (`absl::SimpleAtoi`), so that "012",
    "+12" and "12" are the same version to it, and only one of them is served.

    Example:
        >>> parse_served_version(" +012"), parse_served_version("12.tmp")
        (12, None)
    """
    match = _SERVED.fullmatch(text)
    if match is None:
        return None
    number = int(match.group(1)) if len(match.group(1)) < 100 else 2**63
    return number if number in _INT64 else None
