"""Defect classes and the scheme that numbers them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from defectkeras.core.errors import DatasetError
from defectkeras.core.names import require_known

Kind = Literal["matrix", "region", "line"]

KINDS: tuple[Kind, ...] = ("matrix", "region", "line")


@dataclass(frozen=True)
class DefectClass:
    """One class of pixels.

    Attributes:
        index: Its value in a class map; 0 is the matrix.
        name: Its name, such as "void".
        kind: "matrix", "region" (counted and sized) or "line" (its length is
            measured).
    """

    index: int
    name: str
    kind: Kind


@dataclass(frozen=True)
class LabelScheme:
    """The classes of a class map, by index.

    Attributes:
        classes: From the matrix (index 0) on, without a gap.

    Raises:
        DatasetError: When indices, names or kinds are not as they must be.

    Example:
        >>> scheme = LabelScheme((DefectClass(0, "matrix", "matrix"),
        ...                       DefectClass(1, "void", "region")))
        >>> scheme.num_classes, scheme.by_name("void").index
        (2, 1)
    """

    classes: tuple[DefectClass, ...]

    def __post_init__(self) -> None:
        """Check the classes against each other."""
        indices = [c.index for c in self.classes]
        if len(indices) < 2 or indices != list(range(len(indices))):
            raise DatasetError(
                "Class indices must be 0, 1, 2, ... in this order, at least two. "
                f"Received: {indices}."
            )
        names = [c.name for c in self.classes]
        if len(set(names)) != len(names):
            raise DatasetError(f"Class names must differ. Received: {names}.")
        if not all(name.strip() for name in names):
            raise DatasetError(f"Class names must not be blank. Received: {names}.")
        for defect_class in self.classes:
            require_known(
                defect_class.kind,
                KINDS,
                what=f"kind of class {defect_class.name!r}",
                error=DatasetError,
            )
            if (defect_class.kind == "matrix") != (defect_class.index == 0):
                raise DatasetError(
                    "Class 0, and no other, must be of kind 'matrix'. Received: "
                    f"{defect_class.name!r} with index {defect_class.index} and "
                    f"kind {defect_class.kind!r}."
                )

    @property
    def num_classes(self) -> int:
        """Number of classes, the matrix among them."""
        return len(self.classes)

    @property
    def defects(self) -> tuple[DefectClass, ...]:
        """The classes without the matrix."""
        return self.classes[1:]

    def by_name(self, name: str) -> DefectClass:
        """Give the class of this name.

        Raises:
            DatasetError: When there is none; the nearest name is told.
        """
        require_known(
            name, [c.name for c in self.classes], what="class", error=DatasetError
        )
        return next(c for c in self.classes if c.name == name)


def scheme_of_names(classes: Sequence[str]) -> LabelScheme:
    """Give the scheme of some defect classes, in the order of their index.

    Args:
        classes: Each "name" (a region) or "name:kind".

    Raises:
        DatasetError: When a kind is unknown or a name is there twice.

    Example:
        >>> scheme = scheme_of_names(["dislocation:line", "void"])
        >>> [(c.index, c.name, c.kind) for c in scheme.defects]
        [(1, 'dislocation', 'line'), (2, 'void', 'region')]
    """
    defects = [_parse_class(index + 1, text) for index, text in enumerate(classes)]
    return LabelScheme((DefectClass(0, "matrix", "matrix"), *defects))


def _parse_class(index: int, text: str) -> DefectClass:
    name, _, kind = text.partition(":")
    require_known(
        kind or "region", KINDS[1:], what=f"kind of class {name!r}", error=DatasetError
    )
    return DefectClass(index, name, "line" if kind == "line" else "region")
