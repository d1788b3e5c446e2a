"""Operands of a comparison: people's files, results, and models that are run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from defectkeras.core.arrays import NOT_ANNOTATED, ClassMap
from defectkeras.core.errors import DatasetError, DefectKerasError
from defectkeras.core.file_names import name_of_file
from defectkeras.core.labels import DefectClass, LabelScheme
from defectkeras.core.micrograph import Micrograph
from defectkeras.micrographs.annotations.read import Annotation, Hints
from defectkeras.quantification.comparison import Annotator
from defectkeras.registry.store import ModelRegistry
from defectkeras.registry.version import ModelVersion
from defectkeras.workflows.annotated import (
    AnnotatedField,
    find_fields,
    read_field,
    scheme_of_fields,
)

if TYPE_CHECKING:
    from defectkeras.workflows.segment import Segmenter


@dataclass(frozen=True, eq=False)
class Operand:
    """One annotator with what it has annotated.

    Attributes:
        annotator: Who it is.
        scheme: The classes that it knows.
        hints: What its files do not tell.
        fields: Name of each field to its file; empty for a model that is run.
        segmenter: The model that is run, or None.
    """

    annotator: Annotator
    scheme: LabelScheme
    hints: Hints
    fields: Mapping[str, AnnotatedField]
    segmenter: "Segmenter | None" = None

    def read(self, name: str, micrograph: Micrograph | None) -> Annotation:
        """Give the maps of one field; a model is asked now.

        Args:
            name: Of the field.
            micrograph: Whose size they must have; a model needs it.

        Returns:
            Maps (H, W).

        Raises:
            DefectKerasError: When a file cannot be read, or the model not be run.
        """
        if self.segmenter is None:
            return read_field(self.fields[name], self.scheme, self.hints, micrograph)
        from defectkeras.workflows.segment import SegmentSettings, segment

        if micrograph is None:
            raise DefectKerasError(
                f"{self.annotator.label} is a model and needs the micrograph {name}. "
                "Give the micrographs with --micrographs."
            )
        found = segment(self.segmenter, micrograph, SegmentSettings())
        return Annotation(found.class_map)


def find_operands(
    texts: Sequence[str],
    *,
    hints: Mapping[str, Hints],
    classes: Sequence[str] = (),
    machines: Sequence[str] = (),
    registry_root: Path | None = None,
) -> list[Operand]:
    """Find what a user has named.

    Args:
        texts: Each a path, a reference of the registry such as "voids@3", or
            either behind "label=".
        hints: Label to what its files do not tell; "" for all others.
        classes: Names of the classes in the order of the index.
        machines: Labels of files that a model has made.
        registry_root: Folder of the registry; None takes the default.

    Returns:
        The operands in the order of the user.

    Raises:
        DefectKerasError: When one is nothing, or two have the same label.
    """
    named = [split_label(text) for text in texts]
    labels = [label for label, _ in named]
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise DefectKerasError(
            "At least two annotators with different labels must be compared. Received: "
            f"{', '.join(labels)}. Name them, such as anna=folder."
        )
    unknown = [m for m in (*machines, *filter(None, hints)) if m not in labels]
    if unknown:
        raise DefectKerasError(
            f"{unknown[0]!r} must be one of the labels {', '.join(labels)}."
        )
    found = {label: _fields(target) for label, target in named}
    told = [f.scheme for own in found.values() for f in own or () if f.scheme]
    names = list(classes)
    if not names and told:
        names = [f"{c.name}:{c.kind}" for c in told[0].defects]
    operands = []
    for label, target in named:
        fields = found[label]
        if fields is None:
            operands.append(_model(label, target, registry_root))
            continue
        own = hints.get(label, hints[""])
        is_model = label in machines or fields[0].model is not None
        annotator = Annotator(label, is_model, fields[0].model or target)
        scheme = scheme_of_fields(fields, own, names)
        operands.append(Operand(annotator, scheme, own, {f.name: f for f in fields}))
    return operands


def find_models(
    texts: Sequence[str], registry_root: Path | None = None
) -> list[ModelVersion]:
    """Find the versions among what a user has named; none is loaded.

    Args:
        texts: As in `find_operands`.
        registry_root: Folder of the registry; None takes the default.

    Raises:
        RegistryError: When what can only be a model is not in the registry.
    """
    targets = [split_label(text)[1] for text in texts]
    registry = ModelRegistry(registry_root)
    return [registry.resolve(target) for target in targets if _is_model(target)]


def split_label(text: str) -> tuple[str, str]:
    """Give the label of an operand, and what it is.

    Example:
        >>> split_label("anna=masks/first"), split_label("masks/first")
        (('anna', 'masks/first'), ('first', 'masks/first'))
        >>> split_label("voids@3")
        ('voids@3', 'voids@3')
    """
    label, separator, target = text.partition("=")
    if separator and label and target:
        return label, target
    path = Path(text)
    return (name_of_file(path) if path.exists() or "@" not in text else text), text


def common_scheme(operands: Sequence[Operand]) -> LabelScheme:
    """Give the classes that all operands know, in the order of the first.

    Raises:
        DatasetError: When there is none, or one is a line for some.
    """
    kinds = [{c.name: c.kind for c in o.scheme.defects} for o in operands]
    shared = [c for c in operands[0].scheme.defects if all(c.name in k for k in kinds)]
    if not shared:
        told = "; ".join(
            f"{o.annotator.label}: {', '.join(k)}"
            for o, k in zip(operands, kinds, strict=True)
        )
        raise DatasetError(
            f"All must know at least one class in common. Received: {told}. Name the "
            "classes with --class."
        )
    for defect_class in shared:
        if any(k[defect_class.name] != defect_class.kind for k in kinds):
            raise DatasetError(
                f"The class {defect_class.name!r} must be a line or a region for all. "
                "Name the classes with --class NAME:KIND."
            )
    numbered = [DefectClass(i, c.name, c.kind) for i, c in enumerate(shared, start=1)]
    return LabelScheme((DefectClass(0, "matrix", "matrix"), *numbered))


def to_scheme(class_map: ClassMap, own: LabelScheme, shared: LabelScheme) -> ClassMap:
    """Give a class map in the indices of a scheme; other classes become matrix.

    Args:
        class_map: (H, W) in the indices of `own`.
        own: The classes of the annotator.
        shared: Some of them.

    Returns:
        (H, W) in the indices of `shared`.
    """
    indices = {c.name: c.index for c in shared.classes}
    table = [indices.get(c.name, 0) for c in own.classes]
    lookup = np.array([*table, NOT_ANNOTATED], dtype=np.int32)
    return lookup[class_map]


def _fields(target: str) -> tuple[AnnotatedField, ...] | None:
    """Give the fields of a path; None for what can only be a model."""
    return None if _is_model(target) else find_fields(Path(target))


def _is_model(target: str) -> bool:
    is_reference = "@" in target or not ("/" in target or "." in target)
    return is_reference and not Path(target).exists()


def _model(label: str, reference: str, registry_root: Path | None) -> Operand:
    from defectkeras.workflows.segment import load_segmenter

    segmenter = load_segmenter(reference, registry_root)
    annotator = Annotator(label, True, segmenter.version.reference)
    return Operand(annotator, segmenter.card.scheme, Hints(), {}, segmenter)
